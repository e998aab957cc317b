import { Agent, type buildConnector, type Dispatcher } from 'undici'
import type { Http, HttpAnswer, HttpRequest } from './adapter.ts'
import { type Unavailable, type Uncertain, unavailable, uncertain } from './outcomes.ts'

const TIMEOUT_MS = 10_000
const CONNECT_TIMEOUT_MS = 5_000
const MAX_BYTES = 1_048_576
/** Sockets per provider; more requests than this wait their turn, and their time-out runs while they wait. */
const CONNECTIONS_PER_ORIGIN = 256

export interface HttpOptions {
  userAgent?: string
  /** Most sockets to one origin at a time. */
  connectionsPerOrigin?: number
  connectTimeoutMs?: number
  /** Opens connections in place of undici's own way: decides what may be connected to. */
  connect?: buildConnector.connector
}

export interface HttpClient extends Http {
  /** Ends every connection; what is still under way ends as {@link Unanswered}. */
  close(): Promise<void>
}

/** The request surely never reached the provider: no address, no connection, no TLS, no free socket in time. */
export class Unreached extends Error {
  override name = 'Unreached'
  readonly code: string
  constructor(host: string, code: string) {
    super(`Could not reach ${host} (${code}).`)
    this.code = code
  }
}

/** The request left and no whole answer came back: the provider may have acted on it. */
export class Unanswered extends Error {
  override name = 'Unanswered'
  readonly code: string
  constructor(host: string, code: string) {
    super(`No whole answer from ${host} (${code}).`)
    this.code = code
  }
}

/**
 * The one client every adapter calls providers with: a keep-alive pool per origin, time-outs on connecting and on the
 * whole exchange, a limit on the answer, no redirect followed. It rejects with {@link Unreached} or {@link Unanswered}
 * and nothing else; neither names more of the address than its host, since a path or a header may hold a secret.
 */
export function createHttp(options: HttpOptions = {}): HttpClient {
  const agent = new Agent({
    connections: options.connectionsPerOrigin ?? CONNECTIONS_PER_ORIGIN,
    connect: options.connect ?? { timeout: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS },
    allowH2: false,
  })
  const userAgent = options.userAgent ?? 'nexus-inbox'
  return {
    request: (request) => new Exchange(request, userAgent).run(agent),
    close: () => agent.destroy(),
  }
}

/** What an adapter says of a call that {@link Http} could not finish. Any other error is a fault of ours: thrown on. */
export function outcomeOfFailure(error: unknown): Unavailable | Uncertain {
  if (error instanceof Unreached) return unavailable(error.code, error.message)
  if (error instanceof Unanswered) return uncertain(error.code, error.message)
  throw error
}

/** One request and its answer, as undici's dispatcher tells of them. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: HttpRequest
  readonly #userAgent: string
  readonly #maxBytes: number
  #resolve: (answer: HttpAnswer) => void = () => {}
  #reject: (error: Unreached | Unanswered) => void = () => {}
  #host = 'the provider'
  #timer: NodeJS.Timeout | undefined
  #controller: Dispatcher.DispatchController | undefined
  #ended = false
  #status = 0
  #headers: HttpAnswer['headers'] = {}
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(request: HttpRequest, userAgent: string) {
    this.#request = request
    this.#userAgent = userAgent
    this.#maxBytes = request.maxBytes ?? MAX_BYTES
  }

  run(agent: Agent): Promise<HttpAnswer> {
    const { timeoutMs = TIMEOUT_MS, signal } = this.#request
    const answer = new Promise<HttpAnswer>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    const address = httpAddress(this.#request.url)
    this.#host = address?.hostname ?? this.#host
    this.#timer = setTimeout(() => this.#giveUp('timeout'), timeoutMs)
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (!address) this.#giveUp('invalid_address')
    else if (signal?.aborted) this.#giveUp('aborted')
    else this.#dispatch(agent, address, timeoutMs)
    return answer
  }

  #dispatch(agent: Agent, { origin, pathname, search }: URL, timeoutMs: number): void {
    const { method, headers, body = null } = this.#request
    // Ours is the total; undici's own are kept just behind it.
    const behind = timeoutMs + 1_000
    try {
      agent.dispatch(
        {
          origin,
          path: pathname + search,
          method,
          headers: { 'user-agent': this.#userAgent, ...headers },
          body,
          headersTimeout: behind,
          bodyTimeout: behind,
        },
        this,
      )
    } catch {
      this.#giveUp('client_closed')
    }
  }

  readonly #onAbort = (): void => this.#giveUp('aborted')

  /** undici calls this with a connected socket in hand, before the first byte is written: the line between the two errors. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#ended) controller.abort(new Error('given up'))
    else this.#controller = controller
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return
    this.#status = status
    this.#headers = {}
    for (const [name, value] of Object.entries(headers))
      this.#headers[name] = Array.isArray(value) ? value.join(', ') : value
    if (Number(this.#headers['content-length']) > this.#maxBytes) this.#giveUp('answer_too_large')
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes > this.#maxBytes) this.#giveUp('answer_too_large')
    else this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    if (!this.#end()) return
    const [only] = this.#chunks
    const body = this.#chunks.length === 1 && only ? only : Buffer.concat(this.#chunks)
    this.#resolve({ status: this.#status, headers: this.#headers, body })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const code = shortCode(error)
    this.#fail(this.#controller ? new Unanswered(this.#host, code) : new Unreached(this.#host, code))
  }

  #giveUp(code: string): void {
    const controller = this.#controller
    this.#fail(controller ? new Unanswered(this.#host, code) : new Unreached(this.#host, code))
    controller?.abort(new Error(code))
  }

  #fail(error: Unreached | Unanswered): void {
    if (this.#end()) this.#reject(error)
  }

  #end(): boolean {
    if (this.#ended) return false
    this.#ended = true
    clearTimeout(this.#timer)
    this.#request.signal?.removeEventListener('abort', this.#onAbort)
    return true
  }
}

function httpAddress(url: string): URL | undefined {
  if (!URL.canParse(url)) return undefined
  const address = new URL(url)
  const isHttp = address.protocol === 'https:' || address.protocol === 'http:'
  return isHttp && !address.username && !address.password ? address : undefined
}

/** A word for what went wrong; never the error's own message, which may quote the address. */
function shortCode(error: Error & { code?: unknown; errors?: unknown }): string {
  if (typeof error.code === 'string') return WORDS[error.code] ?? error.code.toLowerCase()
  const [first] = Array.isArray(error.errors) ? error.errors : []
  return first instanceof Error ? shortCode(first) : 'network'
}

const WORDS: Record<string, string> = {
  ECONNREFUSED: 'connection_refused',
  ECONNRESET: 'connection_reset',
  EPIPE: 'connection_reset',
  UND_ERR_SOCKET: 'connection_reset',
  UND_ERR_CONNECT_TIMEOUT: 'connect_timeout',
  ETIMEDOUT: 'connect_timeout',
  ENOTFOUND: 'unknown_host',
  EAI_AGAIN: 'dns_unavailable',
  EHOSTUNREACH: 'host_unreachable',
  ENETUNREACH: 'network_unreachable',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  FORBIDDEN_ADDRESS: 'forbidden_address',
  UND_ERR_DESTROYED: 'client_closed',
  UND_ERR_CLOSED: 'client_closed',
}
