import type { Socket } from 'node:net'
import { failure } from '../commands/answers.ts'
import { runCommand } from '../commands/registry.ts'
import type { Engine } from '../engine.ts'
import { CommandError } from '../errors.ts'
import { BadFrame, frameLength, MAX_MESSAGE_BYTES, type Message, readMessage, replyTo } from './frames.ts'

/** Requests of one connection that may wait; a client that sends more is not read until some are answered. */
const MAX_WAITING = 32

/**
 * One client. Its requests are answered in the order they came, each when its writes are on disk; a frame that
 * breaks the protocol ends the connection and nothing else.
 */
export class Connection {
  readonly #engine: Engine
  readonly #socket: Socket
  #chunks: Buffer[] = []
  #buffered = 0
  #wanted = 4
  readonly #waiting: Message[] = []
  #serving = false

  constructor(engine: Engine, socket: Socket) {
    this.#engine = engine
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('drain', () => this.#serve())
    // A client that goes away needs no word; its connection closes by itself.
    socket.on('error', () => socket.destroy())
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
    if (this.#buffered < this.#wanted) return
    try {
      this.#takeFrames()
    } catch (error) {
      this.#refuse(error)
      return
    }
    if (this.#waiting.length > MAX_WAITING) this.#socket.pause()
    void this.#serve()
  }

  #takeFrames(): void {
    let bytes =
      this.#chunks.length === 1 && this.#chunks[0]
        ? this.#chunks[0]
        : Buffer.concat(this.#chunks, this.#buffered)
    let length = frameLength(bytes)
    while (length !== undefined && bytes.length >= length) {
      this.#waiting.push(readMessage(bytes.subarray(0, length)))
      bytes = bytes.subarray(length)
      length = frameLength(bytes)
    }
    this.#chunks = bytes.length > 0 ? [bytes] : []
    this.#buffered = bytes.length
    this.#wanted = Math.min(length ?? 4, MAX_MESSAGE_BYTES)
  }

  #refuse(error: unknown): void {
    if (!(error instanceof BadFrame)) {
      this.#engine.log({ level: 'error', message: 'a frame could not be read', error: String(error) })
    }
    this.#chunks = []
    this.#socket.destroy()
  }

  async #serve(): Promise<void> {
    if (this.#serving) return
    this.#serving = true
    try {
      while (this.#waiting.length > 0 && !this.#socket.destroyed && !this.#socket.writableNeedDrain) {
        const message = this.#waiting.shift()
        if (!message) break
        const answer = await this.#answer(message)
        if (!message.silent && !this.#socket.destroyed) this.#socket.write(replyTo(message, answer))
      }
    } finally {
      this.#serving = false
    }
    if (this.#waiting.length === 0 && this.#socket.isPaused()) this.#socket.resume()
  }

  async #answer(message: Message): Promise<Buffer> {
    try {
      return await this.#engine.store.use(() => runCommand(this.#engine, message.command))
    } catch (error) {
      if (!(error instanceof CommandError)) {
        this.#engine.log({
          level: 'error',
          message: `the command ${message.command.name} failed inside`,
          error: error instanceof Error ? error.stack : String(error),
        })
      }
      return failure(error)
    }
  }
}
