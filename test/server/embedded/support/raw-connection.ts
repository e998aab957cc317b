import { connect, type Socket } from 'node:net'

const HEADER_BYTES = 21
const OP_MSG = 2013

/**
 * A connection that speaks MongoDB's wire protocol and nothing more: bytes of a command in, bytes of its answer
 * out, in the order they were asked. A driver between the two would cost more than the servers that are compared.
 */
export class RawConnection {
  readonly #socket: Socket
  readonly #waiting: Array<{ resolve: (answer: Buffer) => void; reject: (error: Error) => void }> = []
  #received: Buffer = Buffer.alloc(0)

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#receive(chunk))
    const failed = (error?: Error) => {
      for (const { reject } of this.#waiting.splice(0)) reject(error ?? new Error('the server hung up'))
    }
    socket.on('error', failed)
    socket.on('close', () => failed())
  }

  /** Connects to `mongodb://host:port/…` or to a Unix socket whose path is the host. */
  static async open(uri: string): Promise<RawConnection> {
    const host = decodeURIComponent(/^mongodb:\/\/(?:[^@/]*@)?([^/?]+)/.exec(uri)?.[1] ?? '')
    const [name = '', port = '27017'] = host.split(':')
    const socket = host.endsWith('.sock') ? connect(host) : connect(Number(port), name)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new RawConnection(socket)
  }

  /** Sends a command, as BSON, and answers the BSON of what came back. */
  run(command: Uint8Array): Promise<Buffer> {
    const frame = Buffer.alloc(HEADER_BYTES + command.length)
    frame.writeInt32LE(frame.length, 0)
    frame.writeInt32LE(1, 4)
    frame.writeInt32LE(OP_MSG, 12)
    frame.set(command, HEADER_BYTES)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#socket.write(frame)
    })
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    while (this.#received.length >= 4) {
      const size = this.#received.readInt32LE(0)
      if (this.#received.length < size) return
      const answer = this.#received.subarray(HEADER_BYTES, size)
      this.#received = this.#received.subarray(size)
      this.#waiting.shift()?.resolve(answer)
    }
  }

  close(): void {
    this.#socket.end()
  }
}
