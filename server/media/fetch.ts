import { fetchesMedia } from '../../adapters/adapter.ts'
import { isMedia, type MediaFile } from '../../models/content.ts'
import { Message, type MessageDoc } from '../../models/message.ts'
import { apply } from '../../models/outbox.ts'
import type { Clock, Timer } from '../clock.ts'
import type { Directory } from '../directory.ts'
import { Lanes } from '../lanes.ts'
import type { Log } from '../log.ts'
import type { Providers } from '../providers.ts'
import type { Broadcasts } from '../realtime/broadcasts.ts'
import type { Library } from './library.ts'

interface Parts {
  clock: Clock
  log: Log
  directory: Directory
  providers: Providers
  library: Library
  broadcasts: Broadcasts
}

const SWEEP_MS = 20_000
/** A file that cannot be had by then is said to be lost; providers keep them for hours at least. */
const GIVE_UP_MS = 60 * 60_000
const AT_ONCE = 4

/** Brings the files that contacts send home from the provider, and says so on the message. */
export class MediaFetcher {
  readonly #parts: Parts
  readonly #lanes = new Lanes()
  readonly #underway = new Set<string>()
  #timer: Timer | undefined
  #stopped = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  start(): void {
    this.#schedule()
    void this.sweep()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await Promise.race([this.#lanes.idle(), this.#parts.clock.sleep(3_000)])
  }

  /** A message that came with a file still at the provider. */
  wanted(message: MessageDoc): void {
    if (
      !isMedia(message.content) ||
      message.content.file.state !== 'pending' ||
      this.#underway.has(message._id)
    )
      return
    this.#underway.add(message._id)
    const lane = String(message._id.charCodeAt(0) % AT_ONCE)
    void this.#lanes.run(lane, () => this.#fetch(message)).finally(() => this.#underway.delete(message._id))
  }

  async sweep(): Promise<void> {
    try {
      const pending = await Message.find({ 'content.file.state': 'pending' }, null, {
        acrossWorkspaces: 'files left by a dead node',
      })
        .limit(200)
        .lean<MessageDoc[]>()
      for (const message of pending) this.wanted(message)
    } catch (error) {
      this.#parts.log.warn({ event: 'media.sweep_failed', error }, 'could not look for files to fetch')
    }
  }

  idle(): Promise<void> {
    return this.#lanes.idle()
  }

  #schedule(): void {
    this.#timer = this.#parts.clock.after(SWEEP_MS, () => {
      void this.sweep().finally(() => {
        if (!this.#stopped) this.#schedule()
      })
    })
  }

  async #fetch(message: MessageDoc): Promise<void> {
    const { clock, directory, library, log, providers } = this.#parts
    if (!isMedia(message.content) || message.content.file.state !== 'pending') return
    const { reference, name, mime } = message.content.file
    try {
      const inbox = await directory.inbox(message.inbox)
      const route = inbox?.routes.find(({ adapter }) => fetchesMedia(adapter))
      if (!route || !fetchesMedia(route.adapter))
        return await this.#settle(message, { state: 'failed', reference, reason: 'The inbox is gone.' })
      const fetched = await route.adapter.fetchMedia(reference, providers.call(route))
      const file = await library.keepInbound(
        message,
        fetched.bytes,
        name ?? fetched.name,
        fetched.mime ?? mime,
      )
      await this.#settle(message, {
        state: 'stored',
        id: file._id,
        name: file.name,
        mime: file.mime,
        size: file.size,
      })
    } catch (error) {
      log.warn(
        { event: 'media.fetch_failed', message: message._id, error },
        'a file could not be fetched yet',
      )
      if (clock.now().getTime() - message.createdAt.getTime() > GIVE_UP_MS)
        await this.#settle(message, {
          state: 'failed',
          reference,
          reason: 'The provider did not hand the file over.',
        })
    }
  }

  async #settle(message: MessageDoc, file: MediaFile): Promise<void> {
    const change = await apply(
      message,
      { 'content.file.state': 'pending' },
      { $set: { 'content.file': file } },
    )
    if (change) this.#parts.broadcasts.messageChanged(change)
  }
}
