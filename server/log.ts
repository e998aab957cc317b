import { type Logger, pino } from 'pino'
import type { Config } from './config.ts'

export type Log = Logger

/**
 * One JSON line an event. What a person wrote, is called or can be reached at is masked wherever it turns up under its
 * usual name; code that logs passes ids, and the mask is for the day somebody forgets.
 */
export function createLog(level: Config['logLevel'], destination?: { write(line: string): void }): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: MASKED, censor: '•••' },
      serializers: { error: safeError },
    },
    destination as never,
  )
}

const PERSONAL = [
  'phone',
  'address',
  'from',
  'to',
  'sender',
  'name',
  'username',
  'email',
  'text',
  'caption',
  'body',
  'content',
  'preview',
]
const SECRET = [
  'password',
  'token',
  'accessToken',
  'refreshToken',
  'authorization',
  'cookie',
  'credentials',
  'secret',
  'authToken',
  'webhookSecret',
]
const MASKED = [...PERSONAL, ...SECRET].flatMap((field) => [field, `*.${field}`, `*.*.${field}`])

/** An error's name, code and stack. A database's message can quote a document, so only our own messages are kept. */
function safeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error }
  const code = 'code' in error ? { code: error.code } : {}
  const quotesData = error.name.startsWith('Mongo') || error.name === 'ZodError'
  const stack = (error.stack ?? '')
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, 8)
  return { type: error.name, ...code, ...(quotesData ? {} : { message: scrub(error.message) }), stack }
}

/** Blanks what looks like a bot token, a phone number or an address with a secret in it. */
export const scrub = (text: string): string =>
  text
    .replace(/\d{6,}:[\w-]{20,}/g, '•••')
    .replace(/\+?\d[\d ()-]{7,}\d/g, '•••')
    .replace(/:\/\/[^/\s@]+@/g, '://•••@')
