import type { Request, RequestHandler, Response } from 'express'
import type { CallFault, FaultView, ReceiptFault, SandboxEvent, SandboxProvider } from './protocol.ts'
import type { Tasks } from './tasks.ts'

const RECEIPT_FAULTS: readonly string[] = [
  'duplicate',
  'reorder',
  'before-answer',
  'drop',
] satisfies ReceiptFault[]
const isReceiptFault = (kind: FaultView['kind']): kind is ReceiptFault => RECEIPT_FAULTS.includes(kind)

/** Writes a provider's own error body for an HTTP status. */
export type ErrorAnswer = (response: Response, status: number, retryAfter: number | undefined) => void

/** What was asked to go wrong, in the order it was asked for. */
export class Faults {
  readonly #tasks: Tasks
  readonly #publish: (event: SandboxEvent) => void
  readonly #held = new Set<Response>()
  #faults: FaultView[] = []
  #count = 0

  constructor(tasks: Tasks, publish: (event: SandboxEvent) => void) {
    this.#tasks = tasks
    this.#publish = publish
  }

  add(fault: Omit<FaultView, 'id' | 'struck'>): FaultView {
    const added = { ...fault, id: ++this.#count, struck: 0 }
    this.#faults.push(added)
    this.#changed()
    return added
  }

  remove(chosen: (fault: FaultView) => boolean): void {
    this.#faults = this.#faults.filter((fault) => !chosen(fault))
    this.#changed()
  }

  list(): FaultView[] {
    return this.#faults.map((fault) => ({ ...fault }))
  }

  /** Whether receipts of this provider go wrong in this way now; counts as one strike if so. */
  receipts(provider: SandboxProvider, kind: ReceiptFault): boolean {
    const fault = this.#faults.find((one) => one.provider === provider && one.kind === kind)
    if (fault) this.#strike(fault)
    return fault !== undefined
  }

  /** Stands before a provider's API: first the delays, then the first fault that ends the call. */
  gate(provider: SandboxProvider, sends: (request: Request) => boolean, refuse: ErrorAnswer): RequestHandler {
    return async (request, response, next) => {
      if (this.#faults.length === 0) return next()
      const isSend = sends(request)
      const struck = this.#faults.filter(
        (fault) =>
          fault.provider === provider && !isReceiptFault(fault.kind) && (isSend || fault.on === 'all'),
      )
      const delays = struck.filter(({ kind }) => kind === 'latency')
      const [end] = struck.filter(({ kind }) => kind !== 'latency')
      for (const fault of end ? [...delays, end] : delays) this.#strike(fault)
      for (const { ms = 0 } of delays) await this.#tasks.delay(ms)
      if (end) this.#end(end, response, next, refuse)
      else next()
    }
  }

  /** Lets go of every request that hangs. */
  close(): void {
    for (const response of this.#held) response.destroy()
    this.#held.clear()
  }

  #end(fault: FaultView, response: Response, next: () => void, refuse: ErrorAnswer): void {
    switch (fault.kind as CallFault) {
      case 'status':
        refuse(response, fault.status ?? 500, fault.retryAfter)
        break
      case 'reset':
        dropLine(response)
        break
      case 'hang':
        this.#held.add(response)
        response.once('close', () => this.#held.delete(response))
        break
      default:
        response.locals.ending = fault.kind
        next()
    }
  }

  #strike(fault: FaultView): void {
    fault.struck++
    if (fault.left !== undefined && --fault.left <= 0) this.remove((one) => one === fault)
    else this.#changed()
  }

  #changed(): void {
    this.#publish({ type: 'faults', faults: this.list() })
  }
}

/** Answers a call that was carried out, unless a fault spoils the answer. */
export function answer(response: Response, status: number, body: unknown): void {
  if (response.locals.ending === 'accept-then-drop') dropLine(response)
  else if (response.locals.ending === 'garbage')
    response.status(200).type('html').send('<html><body>It works!</body></html>')
  else response.status(status).json(body)
}

/** The caller sees its connection reset. */
function dropLine(response: Response): void {
  if (response.socket?.resetAndDestroy) response.socket.resetAndDestroy()
  else response.destroy()
}
