import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** The line between a node and its store: can be cut, and made slow. */
export class StoreLine {
  readonly uri: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #down = false
  #delayMs = 0

  private constructor(server: Server, uri: string) {
    this.#server = server
    this.uri = uri
  }

  static async to(uri: string): Promise<StoreLine> {
    const [, host = '', port = ''] = /^mongodb:\/\/([^:/]+):(\d+)/.exec(uri) ?? []
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const line = new StoreLine(
      server,
      uri.replace(`${host}:${port}`, `127.0.0.1:${(server.address() as AddressInfo).port}`),
    )
    server.on('connection', (client) => line.#carry(client, host, Number(port)))
    return line
  }

  /** As if the store's machine were gone: every connection breaks, new ones break at once. */
  cut(): void {
    this.#down = true
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }
  mend(): void {
    this.#down = false
  }
  /** Every answer of the store comes so much later. */
  slow(ms: number): void {
    this.#delayMs = ms
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #carry(client: Socket, host: string, port: number): void {
    if (this.#down) {
      client.resetAndDestroy()
      return
    }
    const store = connect(port, host)
    for (const [socket, other] of [
      [client, store],
      [store, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
    client.pipe(store)
    store.on('data', (chunk) => {
      if (this.#delayMs === 0) client.write(chunk)
      else setTimeout(() => client.writable && client.write(chunk), this.#delayMs)
    })
  }
}
