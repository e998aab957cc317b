import type { ErrorRequestHandler } from 'express'
import { MulterError } from 'multer'
import { ZodError } from 'zod'

/** A request of the page's or a test's that cannot be met. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly status: number
  constructor(status: number, sentence: string) {
    super(sentence)
    this.status = status
  }
}

/** Answers `{ detail }`, a sentence for a person; what is no fault of the request goes on to the server's own handler. */
export const answerRefusals: ErrorRequestHandler = (error, _request, response, next) => {
  const [status, detail] = refusalOf(error)
  if (status === undefined || response.headersSent) return next(error)
  response.status(status).json({ detail })
}

function refusalOf(error: unknown): [status: number, detail: string] | [undefined] {
  if (error instanceof Refusal) return [error.status, error.message]
  if (error instanceof ZodError) return [400, error.issues[0]?.message ?? 'This request is not right.']
  if (error instanceof MulterError)
    return error.code === 'LIMIT_FILE_SIZE'
      ? [413, 'This file is too large for the sandbox: at most 10 MB.']
      : [400, 'This form is not right.']
  // body-parser's errors carry a status.
  const status = error instanceof Error && 'status' in error ? error.status : undefined
  return typeof status === 'number' && status >= 400 && status < 500
    ? [status, 'This request is not right.']
    : [undefined]
}
