import express, { type Response, Router } from 'express'
import { z } from 'zod'
import { answer } from '../faults.ts'
import { Ring } from '../ring.ts'
import type { Stage } from '../stage.ts'
import { refuse, TwilioRefusal } from './errors.ts'

const Title = z.string().min(1)
const Types = z.object({
  'twilio/text': z.object({ body: Title }).optional(),
  'twilio/quick-reply': z
    .object({
      body: Title.max(1024),
      actions: z
        .array(z.object({ id: z.string().max(256), title: Title.max(20) }))
        .min(1)
        .max(3),
    })
    .optional(),
  'twilio/list-picker': z
    .object({
      body: Title.max(1024),
      button: Title.max(20),
      items: z
        .array(
          z.object({
            id: z.string().max(200),
            item: Title.max(24),
            description: z.string().max(72).optional(),
          }),
        )
        .min(1)
        .max(10),
    })
    .optional(),
})
const NewContent = z.object({ friendly_name: z.string().optional(), language: z.string(), types: Types })
type Content = z.infer<typeof NewContent>

/** What was made to be sent by its name, and what WhatsApp approved. @see https://www.twilio.com/docs/content/content-api-resources */
export class Contents {
  readonly #stage: Stage
  readonly #made: Ring<string, Content>

  constructor(stage: Stage) {
    this.#stage = stage
    this.#made = new Ring(stage.keep)
  }

  /** The words of a content with its blanks filled, as the phone would show them. @throws TwilioRefusal */
  wordsOf(sid: string, variables: string | undefined): string {
    const types = this.#made.get(sid)?.types ?? APPROVED.find((each) => each.sid === sid)?.types
    if (!types) throw new TwilioRefusal(400, 21655, 'The ContentSid is Invalid')
    const body = Object.values(types).find((each) => each !== undefined)?.body ?? ''
    const filled = variablesOf(variables)
    return body.replace(/\{\{(\d+)\}\}/g, (blank, name: string) => filled[name] ?? blank)
  }

  router(): Router {
    const router = Router()
    router.post('/Content', express.json({ limit: '64kb' }), (request, response) => {
      const given = NewContent.safeParse(request.body)
      if (!given.success) return invalid(response, given.error.issues[0]?.path.join('.') ?? '')
      const sid = `HX${this.#stage.hex(32)}`
      this.#made.set(sid, given.data)
      answer(response, 201, { sid, ...given.data })
    })
    router.get('/ContentAndApprovals', (_request, response) => {
      answer(response, 200, { contents: APPROVED, meta: { next_page_url: null } })
    })
    return router
  }
}

const invalid = (response: Response, field: string): void =>
  refuse(response, new TwilioRefusal(400, 20001, `Invalid parameter: ${field}`))

function variablesOf(text: string | undefined): Record<string, string> {
  if (text === undefined) return {}
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(text))
  } catch {
    throw new TwilioRefusal(400, 21656, 'The ContentVariables Parameter is invalid.')
  }
}

const APPROVED = [
  {
    sid: 'HX00000000000000000000000000000001',
    friendly_name: 'table_ready',
    language: 'en',
    types: { 'twilio/text': { body: 'Hello {{1}}, your table for {{2}} is ready.' } },
    approval_requests: { name: 'table_ready', category: 'UTILITY', status: 'approved' },
  },
  {
    sid: 'HX00000000000000000000000000000002',
    friendly_name: 'spring_sale',
    language: 'en',
    types: { 'twilio/text': { body: 'Cakes at half the price until Sunday!' } },
    approval_requests: { name: 'spring_sale', category: 'MARKETING', status: 'rejected' },
  },
]
