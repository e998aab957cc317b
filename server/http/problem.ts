import type { ErrorRequestHandler, Response } from 'express'
import { Error as MongooseErrors } from 'mongoose'
import { MulterError } from 'multer'
import { Refusal } from '../errors.ts'
import type { Log } from '../log.ts'

/** Any error as one of the catalogue's. What is not recognised is `internal`, and says nothing of its inside. */
export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof MulterError)
    return error.code === 'LIMIT_FILE_SIZE'
      ? new Refusal('too_large', 'The file is larger than 25 MB.')
      : new Refusal('invalid_request', 'The upload is not a form with one file in the field "file".')
  if (isDatabaseAway(error))
    return new Refusal('unavailable', 'The database cannot be reached right now. Try again in a moment.', {
      retryAfter: 2,
    })
  const http = httpError(error)
  if (http?.status === 413) return new Refusal('too_large', 'The request body is too large.')
  if (http && http.status >= 400 && http.status < 500)
    return new Refusal('unreadable_body', 'The body is not what its content type says.')
  return new Refusal('internal', 'Something went wrong on our side. It was logged; try again in a moment.')
}

const AWAY = new Set([
  'MongoServerSelectionError',
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoPoolClearedError',
  'MongoPoolClosedError',
  'PoolClearedOnNetworkError',
  'MongoWriteConcernError',
  'MongoExpiredSessionError',
  'MongoClientClosedError',
])
const isDatabaseAway = (error: unknown): boolean =>
  error instanceof MongooseErrors.MongooseServerSelectionError ||
  (error instanceof Error && (AWAY.has(error.name) || isBrokenOffBatch(error)))

/** A batch that ended without a word on any of its writes: the line broke. */
const isBrokenOffBatch = (error: Error): boolean =>
  error.name === 'MongoBulkWriteError' &&
  'writeErrors' in error &&
  Array.isArray(error.writeErrors) &&
  error.writeErrors.length === 0

/** Errors that express and its parsers make carry the status they mean. */
function httpError(error: unknown): { status: number } | null {
  if (typeof error !== 'object' || error === null || !('status' in error) || typeof error.status !== 'number')
    return null
  return { status: error.status }
}

/** Writes a refusal as application/problem+json (RFC 9457). */
export function sendProblem(response: Response, refusal: Refusal): void {
  if (refusal.retryAfter !== undefined) response.set('Retry-After', String(refusal.retryAfter))
  const { problem } = refusal
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem))
}

/** The last handler: turns whatever was thrown into an answer, and logs what was our fault. */
export const problems =
  (log: Log): ErrorRequestHandler =>
  (error, request, response, _next) => {
    const refusal = asRefusal(error)
    if (refusal.code === 'internal' || refusal.code === 'unavailable')
      log.error(
        {
          event: 'http.failed',
          method: request.method,
          path: request.route?.path ?? '?',
          code: refusal.code,
          error,
        },
        refusal.message,
      )
    if (response.headersSent) response.destroy()
    else sendProblem(response, refusal)
  }
