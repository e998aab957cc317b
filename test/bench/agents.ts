import { io, type Socket } from 'socket.io-client'

interface Arrival {
  message: { content: { type: string; text?: string } }
}

/** The sockets of ten agents at one server. Tells of every message that arrives at each of them. */
export class Agents {
  readonly #sockets: Socket[] = []
  onMessage: (agent: number, text: string) => void = () => {}

  get count(): number {
    return this.#sockets.length
  }

  /** @param tokens one an agent; empty where the server asks for none */
  async connect(url: string, tokens: string[]): Promise<void> {
    await Promise.all(
      tokens.map(async (token, agent) => {
        const socket = io(url, { transports: ['websocket'], auth: { token }, forceNew: true })
        this.#sockets.push(socket)
        socket.on('message.added', ({ message }: Arrival) =>
          this.onMessage(agent, message.content.text ?? ''),
        )
        await new Promise<void>((resolve, reject) =>
          socket.once('connect', resolve).once('connect_error', reject),
        )
      }),
    )
  }
}
