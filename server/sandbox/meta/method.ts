import type { Request, RequestHandler, Response } from 'express'
import { ZodError } from 'zod'
import { answer } from '../faults.ts'
import type { Stage } from '../stage.ts'
import { badParameter, GraphRefusal, refuse } from './errors.ts'
import type { Page } from './messenger/page.ts'
import type { Subscriptions } from './subscriptions.ts'
import type { WhatsAppNumber } from './whatsapp/number.ts'

/** What the API stands on. */
export interface GraphParts {
  stage: Stage
  subscriptions: Subscriptions
  whatsapp: WhatsAppNumber
  messenger: Page
}

/** Answers with what a method gives, or with its refusal in Meta's words. */
export const method =
  (carryOut: (request: Request) => unknown): RequestHandler =>
  async (request: Request, response: Response) => {
    try {
      answer(response, 200, await carryOut(request))
    } catch (error) {
      if (error instanceof GraphRefusal) refuse(response, error)
      else if (error instanceof ZodError) refuse(response, badParameter(sentenceOf(error)))
      else throw error
    }
  }

function sentenceOf({ issues: [issue] }: ZodError): string {
  return `Invalid parameter: ${issue?.path.join('.')}: ${issue?.message}`
}
