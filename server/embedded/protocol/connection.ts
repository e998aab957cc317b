import type { Socket } from 'node:net'
import { failure } from '../commands/answers.ts'
import { runCommand } from '../commands/registry.ts'
import type { Engine } from '../engine.ts'
import { CommandError } from '../errors.ts'
import { BadFrame, frameLength, MAX_MESSAGE_BYTES, type Message, readMessage, replyTo } from './frames.ts'

/** Requests of one connection that may wait; a client that sends more is not read until some are answered. */
const MAX_WAITING = 32
/** So many bytes of them may wait, and one message more. */
const MAX_WAITING_BYTES = 1024 * 1024
/** How long a client may be silent in the middle of a message. */
export const HALF_FRAME_MS = 30_000

interface Waiting {
  readonly message: Message
  readonly bytes: number
}

/**
 * One client. Its requests are answered in the order they came, each when its writes are on disk; a frame that
 * breaks the protocol ends the connection and nothing else. No more is read from it than it lets us answer: what a
 * connection holds in memory is one message, what waits behind it, and one answer.
 */
export class Connection {
  readonly #engine: Engine
  readonly #socket: Socket
  readonly #halfFrameMs: number
  #chunks: Buffer[] = []
  #buffered = 0
  #wanted = 4
  readonly #waiting: Waiting[] = []
  #waitingBytes = 0
  #serving = false

  constructor(engine: Engine, socket: Socket, halfFrameMs = HALF_FRAME_MS) {
    this.#engine = engine
    this.#socket = socket
    this.#halfFrameMs = halfFrameMs
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('drain', () => this.#serve())
    // A client that goes away needs no word; its connection closes by itself.
    socket.on('error', () => socket.destroy())
    socket.on('timeout', () => this.#giveUp())
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
    try {
      if (this.#buffered >= this.#wanted) this.#takeFrames()
    } catch (error) {
      this.#refuse(error)
      return
    }
    this.#expectRest()
    if (this.#isFull()) this.#socket.pause()
    void this.#serve()
  }

  #takeFrames(): void {
    let bytes =
      this.#chunks.length === 1 && this.#chunks[0]
        ? this.#chunks[0]
        : Buffer.concat(this.#chunks, this.#buffered)
    let length = frameLength(bytes)
    while (length !== undefined && bytes.length >= length) {
      this.#waiting.push({ message: readMessage(bytes.subarray(0, length)), bytes: length })
      this.#waitingBytes += length
      bytes = bytes.subarray(length)
      length = frameLength(bytes)
    }
    // A copy, since a rest of a few bytes would keep the whole message before it.
    this.#chunks = bytes.length > 0 ? [Buffer.from(bytes)] : []
    this.#buffered = bytes.length
    this.#wanted = Math.min(length ?? 4, MAX_MESSAGE_BYTES)
  }

  #expectRest(): void {
    this.#socket.setTimeout(this.#buffered > 0 ? this.#halfFrameMs : 0)
  }

  #isFull(): boolean {
    return this.#waiting.length > MAX_WAITING || this.#waitingBytes > MAX_WAITING_BYTES
  }

  #refuse(error: unknown): void {
    if (!(error instanceof BadFrame)) {
      this.#engine.log({ level: 'error', message: 'a frame could not be read', error: String(error) })
    }
    this.#chunks = []
    this.#waiting.length = 0
    this.#socket.destroy()
  }

  /** Half a message came and no more. While we do not read, that is our doing and not the client's. */
  #giveUp(): void {
    if (this.#socket.isPaused()) return
    this.#chunks = []
    this.#socket.destroy()
  }

  async #serve(): Promise<void> {
    if (this.#serving) return
    this.#serving = true
    try {
      while (this.#waiting.length > 0 && !this.#socket.destroyed && !this.#socket.writableNeedDrain) {
        const next = this.#waiting.shift()
        if (!next) break
        this.#waitingBytes -= next.bytes
        const answer = await this.#answer(next.message)
        if (!next.message.silent && !this.#socket.destroyed) this.#socket.write(replyTo(next.message, answer))
      }
    } finally {
      this.#serving = false
    }
    if (this.#isFull() || this.#socket.writableNeedDrain || !this.#socket.isPaused()) return
    this.#socket.resume()
    this.#expectRest()
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
