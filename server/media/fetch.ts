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
/** How often bytes are looked for that nobody names any more. */
export const TIDY_MS = 60 * 60_000
/** A file that cannot be had for so long is said to be lost; providers keep them for hours at least. */
const GIVE_UP_MS = 60 * 60_000
const AT_ONCE = 4

/** Brings the files that contacts send home from the provider, and says so on the message. */
export class MediaFetcher {
  readonly #parts: Parts
  readonly #lanes = new Lanes()
  readonly #underway = new Set<string>()
  /** When this node first tried for a file: how old the message is says little, it may have been edited since. */
  readonly #triedSince = new Map<string, number>()
  #timer: Timer | undefined
  #tidying: Timer | undefined
  #stopped = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  start(): void {
    this.#schedule()
    this.#scheduleTidying()
    void this.sweep()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    this.#tidying?.cancel()
    await Promise.race([this.#lanes.idle(), this.#parts.clock.sleep(3_000)])
  }

  /** A message that came with a file still at the provider. */
  wanted(message: MessageDoc): void {
    if (!isMedia(message.content) || message.content.file.state !== 'pending') return
    const wanted = `${message._id} ${message.content.file.reference}`
    if (this.#underway.has(wanted)) return
    this.#underway.add(wanted)
    const lane = String(message._id.charCodeAt(0) % AT_ONCE)
    void this.#lanes
      .run(lane, () => this.#fetch(message))
      .catch((error: unknown) =>
        this.#parts.log.warn({ event: 'media.not_settled', message: message._id, error }),
      )
      .finally(() => this.#underway.delete(wanted))
  }

  async sweep(): Promise<void> {
    try {
      const pending = await Message.find({ 'content.file.state': 'pending' }, null, {
        acrossWorkspaces: 'files left by a dead node',
      })
        .limit(200)
        .lean<MessageDoc[]>()
      for (const message of pending) this.wanted(message)
      // What another node settled is not heard of here again.
      const longAgo = this.#parts.clock.now().getTime() - 2 * GIVE_UP_MS
      for (const [wanted, since] of this.#triedSince) if (since < longAgo) this.#triedSince.delete(wanted)
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

  #scheduleTidying(): void {
    this.#tidying = this.#parts.clock.after(TIDY_MS, () => {
      void this.#tidy().finally(() => {
        if (!this.#stopped) this.#scheduleTidying()
      })
    })
  }

  async #tidy(): Promise<void> {
    const { library, log } = this.#parts
    try {
      const removed = await library.tidy(() => this.#stopped)
      if (removed > 0) log.info({ event: 'media.tidied', removed }, 'bytes that nobody names were removed')
    } catch (error) {
      log.warn({ event: 'media.tidy_failed', error }, 'could not look for bytes that nobody names')
    }
  }

  async #fetch(message: MessageDoc): Promise<void> {
    const { clock, directory, library, log, providers } = this.#parts
    if (!isMedia(message.content) || message.content.file.state !== 'pending') return
    const { reference, name, mime } = message.content.file
    const wanted = `${message._id} ${reference}`
    const since = this.#triedSince.get(wanted) ?? clock.now().getTime()
    this.#triedSince.set(wanted, since)
    try {
      const inbox = await directory.inbox(message.inbox)
      const route = inbox?.routes.find(({ adapter }) => fetchesMedia(adapter))
      if (!route || !fetchesMedia(route.adapter))
        return void (await this.#settle(message, reference, {
          state: 'failed',
          reference,
          reason: 'The inbox is gone.',
        }))
      const fetched = await route.adapter.fetchMedia(reference, providers.call(route))
      const file = await library.keepInbound(
        message,
        fetched.bytes,
        name ?? fetched.name,
        fetched.mime ?? mime,
      )
      const settled = await this.#settle(message, reference, {
        state: 'stored',
        id: file._id,
        name: file.name,
        mime: file.mime,
        size: file.size,
      })
      if (!settled) await library.drop(file) // another node was faster, or the contact sent another one instead
    } catch (error) {
      log.warn(
        { event: 'media.fetch_failed', message: message._id, error },
        'a file could not be fetched yet',
      )
      if (clock.now().getTime() - since > GIVE_UP_MS)
        await this.#settle(message, reference, {
          state: 'failed',
          reference,
          reason: 'The provider did not hand the file over.',
        })
    }
  }

  /** Says what became of the file a reference names, if the message still waits for that one. */
  async #settle(message: MessageDoc, reference: string, file: MediaFile): Promise<boolean> {
    const change = await apply(
      message,
      { 'content.file.state': 'pending', 'content.file.reference': reference },
      { $set: { 'content.file': file } },
    )
    this.#triedSince.delete(`${message._id} ${reference}`)
    if (change) this.#parts.broadcasts.messageChanged(change)
    return change !== null
  }
}
