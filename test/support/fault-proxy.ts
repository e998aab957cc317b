import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP proxy that stands before the server and spoils the line on demand. It reads nothing of what it carries. */
export class FaultProxy {
  readonly url: string
  readonly #server: Server
  readonly #target: number
  readonly #sockets = new Set<Socket>()
  #onAnswer: (() => void) | undefined

  private constructor(server: Server, target: number) {
    this.#server = server
    this.#target = target
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('connection', (client) => this.#carry(client))
  }

  /** @param target a port of this machine; nobody need listen there yet */
  static async start(target: number): Promise<FaultProxy> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new FaultProxy(server, target)
  }

  /** From now on no byte of an answer passes. Resolves when the first one is held back: its request was dealt with. */
  withholdAnswers(): Promise<void> {
    return new Promise((resolve) => {
      this.#onAnswer = resolve
    })
  }

  /** Resets every connection, as a cut line does, and carries new ones whole again. */
  cut(): void {
    this.#onAnswer = undefined
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #carry(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1')
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
    client.pipe(server)
    server.on('data', (chunk) => {
      if (this.#onAnswer) this.#onAnswer()
      else client.write(chunk)
    })
  }
}
