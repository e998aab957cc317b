import type { Problem } from '../../../server/realtime/protocol.ts'

/** The server answered, and the answer is no. */
export class Refused extends Error {
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.detail || problem.title)
    this.problem = problem
  }
}

/** No answer: what was asked may or may not have happened. */
export class Unreachable extends Error {}

export const ANSWER_WITHIN_MS = 20_000

export async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, {
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      credentials: 'omit',
      cache: 'no-store',
      ...init,
    })
  } catch (cause) {
    throw new Unreachable('The server cannot be reached.', { cause })
  }
}

export async function readAnswer<T>(response: Response): Promise<T> {
  if (response.status === 204) return undefined as T
  const body: unknown = await response.json().catch(() => null)
  if (response.ok && body !== null) return body as T
  throw new Refused(isProblem(body) ? body : unnamedProblem(response.status))
}

export const isProblem = (value: unknown): value is Problem =>
  typeof value === 'object' && value !== null && 'code' in value && 'detail' in value

/** What a proxy in between says carries no problem of ours; 5xx and 429 from it are worth another try. */
export const unnamedProblem = (status: number): Problem => ({
  type: 'about:blank',
  title: `HTTP ${status}`,
  status,
  code: 'unnamed',
  detail: `The server answered ${status}.`,
  retryable: status >= 500 || status === 429 || status < 400,
})
