import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { Readable } from 'node:stream'
import { fileTypeFromBuffer, fileTypeFromFile } from 'file-type'
import type { MediaAccess } from '../../adapters/adapter.ts'
import type { AgentDoc } from '../../models/agent.ts'
import { maySee } from '../../models/agent.ts'
import type { MediaId } from '../../models/ids.ts'
import { newId } from '../../models/ids.ts'
import type { MessageDoc } from '../../models/message.ts'
import { StoredFile, type StoredFileDoc } from '../../models/stored-file.ts'
import type { Clock } from '../clock.ts'
import { notFound } from '../errors.ts'
import { API } from '../providers.ts'
import type { MediaStorage } from './storage.ts'

/** An upload that became part of no message is forgotten after this. */
const UNUSED_MS = 24 * 60 * 60 * 1000
/** How long a provider may fetch a file through a link: it may queue a message for hours before it looks. */
const LINK_MS = 12 * 60 * 60 * 1000
/** Bytes are kept this long before anybody asks whether a file names them: its upload is well over by then. */
const UNNAMED_MS = 24 * 60 * 60 * 1000
const HASHES_AT_ONCE = 200
const REMOVALS_AT_ONCE = 1_000
const BYTES_OF_ALL = 'bytes are shared by the files of every workspace'
const ACROSS = 'a signed link names one file, whoever it belongs to'

interface Parts {
  storage: MediaStorage
  clock: Clock
  /** The first signs links; those of the others still open. */
  secrets: readonly [string, ...string[]]
  publicUrl: () => string
}

/** The files of all conversations: who may see which, and what they really are. */
export class Library implements MediaAccess {
  readonly #parts: Parts
  readonly #linkKeys: [Buffer, ...Buffer[]]

  constructor(parts: Parts) {
    this.#parts = parts
    const derive = (secret: string) =>
      Buffer.from(hkdfSync('sha256', secret, 'nexus-inbox', 'media-link', 32))
    const [first, ...rest] = parts.secrets
    this.#linkKeys = [derive(first), ...rest.map(derive)]
  }

  /** Keeps an agent's upload. Its type is read from its bytes; what it claims to be counts for nothing it could harm with. */
  async keepUpload(agent: AgentDoc, path: string, name: string, claimed: string): Promise<StoredFileDoc> {
    const mime = (await fileTypeFromFile(path))?.mime ?? plainType(claimed)
    const { sha256, size } = await this.#parts.storage.adopt(path)
    const at = this.#parts.clock.now()
    return this.#keep({
      workspace: agent.workspace,
      uploadedBy: agent._id,
      expiresAt: new Date(at.getTime() + UNUSED_MS),
      name: cleanName(name),
      mime,
      sha256,
      size,
    })
  }

  /** Keeps what a contact sent, fetched from the provider. */
  async keepInbound(
    message: MessageDoc,
    bytes: Uint8Array,
    name: string | undefined,
    claimed: string | undefined,
  ): Promise<StoredFileDoc> {
    const sniffed = await fileTypeFromBuffer(bytes)
    const mime = sniffed?.mime ?? plainType(claimed ?? '')
    const { sha256, size } = await this.#parts.storage.put(bytes)
    return this.#keep({
      workspace: message.workspace,
      inbox: message.inbox,
      conversation: message.conversation,
      name: cleanName(name ?? `${message.content.type}.${sniffed?.ext ?? 'bin'}`),
      mime,
      sha256,
      size,
    })
  }

  /** Gives up a file that became part of nothing; its bytes go with the next {@link tidy}. */
  async drop({ workspace, _id }: StoredFileDoc): Promise<void> {
    await StoredFile.deleteOne({ workspace, _id })
  }

  /**
   * Removes bytes that no file names any more, a bounded number at a time; answers with how many. Where there is no file at
   * all the database is new or another one, and not the folder out of use: then nothing is removed.
   */
  async tidy(stopped: () => boolean): Promise<number> {
    const before = new Date(this.#parts.clock.now().getTime() - UNNAMED_MS)
    if (!(await StoredFile.exists({}).setOptions({ acrossWorkspaces: BYTES_OF_ALL }))) return 0
    let removed = 0
    for await (const hashes of this.#parts.storage.hashes())
      for (let start = 0; start < hashes.length; start += HASHES_AT_ONCE)
        for (const sha256 of await unnamed(hashes.slice(start, start + HASHES_AT_ONCE))) {
          if (stopped() || removed === REMOVALS_AT_ONCE) return removed
          if (await this.#parts.storage.remove(sha256, before)) removed++
        }
    return removed
  }

  /** Makes an upload part of a conversation: from now on whoever sees the conversation sees it. */
  async attach(
    agent: AgentDoc,
    id: MediaId,
    conversation: Pick<MessageDoc, 'inbox'> & { _id: MessageDoc['conversation'] },
  ): Promise<StoredFileDoc> {
    const file = await StoredFile.findOneAndUpdate(
      {
        workspace: agent.workspace,
        _id: id,
        $or: [
          { uploadedBy: agent._id, conversation: { $exists: false } },
          { conversation: conversation._id },
        ],
      },
      { $set: { inbox: conversation.inbox, conversation: conversation._id }, $unset: { expiresAt: 1 } },
      { returnDocument: 'after' },
    ).lean<StoredFileDoc>()
    if (!file) throw notFound('file')
    return file
  }

  /** A file this agent may see: their own upload, or part of a conversation they may see. */
  async visibleTo(agent: AgentDoc, id: MediaId): Promise<StoredFileDoc> {
    const file = await StoredFile.findOne({ workspace: agent.workspace, _id: id }).lean<StoredFileDoc>()
    if (!file || !(file.inbox ? maySee(agent, file.inbox) : file.uploadedBy === agent._id))
      throw notFound('file')
    return file
  }

  /** The file a signed link opens, while it does. */
  async byLink(id: MediaId, expires: number, signature: string): Promise<StoredFileDoc> {
    const given = Buffer.from(signature)
    const genuine = this.#linkKeys.some((key) => {
      const expected = Buffer.from(sign(key, id, expires))
      return expected.length === given.length && timingSafeEqual(expected, given)
    })
    if (!genuine || expires * 1000 < this.#parts.clock.now().getTime()) throw notFound('file')
    const file = await StoredFile.findOne({ _id: id }, null, {
      acrossWorkspaces: ACROSS,
    }).lean<StoredFileDoc>()
    if (!file) throw notFound('file')
    return file
  }

  read(file: StoredFileDoc): Promise<Readable> {
    return this.#parts.storage.read(file.sha256)
  }

  async bytes(id: MediaId): Promise<Uint8Array> {
    const file = await StoredFile.findOne(
      { _id: id },
      { sha256: 1 },
      { acrossWorkspaces: ACROSS },
    ).lean<StoredFileDoc>()
    if (!file) throw new Error('the file is gone')
    return this.#parts.storage.bytes(file.sha256)
  }

  url(id: MediaId): string {
    const expires = Math.floor((this.#parts.clock.now().getTime() + LINK_MS) / 1000)
    return `${this.#parts.publicUrl()}${API}/media/${id}/${expires}/${sign(this.#linkKeys[0], id, expires)}`
  }

  async #keep(given: Omit<StoredFileDoc, '_id' | 'createdAt'>): Promise<StoredFileDoc> {
    const file: StoredFileDoc = { ...given, _id: newId<MediaId>(), createdAt: this.#parts.clock.now() }
    await StoredFile.create(file)
    return file
  }
}

async function unnamed(hashes: string[]): Promise<string[]> {
  const files = await StoredFile.find(
    { sha256: { $in: hashes } },
    { sha256: 1 },
    { acrossWorkspaces: BYTES_OF_ALL },
  ).lean<Pick<StoredFileDoc, 'sha256'>[]>()
  const named = new Set(files.map(({ sha256 }) => sha256))
  return hashes.filter((sha256) => !named.has(sha256))
}

const sign = (key: Buffer, id: MediaId, expires: number): string =>
  createHmac('sha256', key).update(`${id}.${expires}`).digest('base64url')

/** Types that may be taken at their word because nothing in a browser acts on them; the rest is just bytes. */
const TRUSTED = new Set(['text/plain', 'text/csv', 'application/json', 'text/vcard'])
const plainType = (claimed: string): string => {
  const type = claimed.split(';')[0]?.trim().toLowerCase() ?? ''
  return TRUSTED.has(type) ? type : 'application/octet-stream'
}

/** A file's name without folders, control and bidirectional-override characters, at most 120 characters. */
export function cleanName(name: string): string {
  const base = name.split(/[\\/]/).at(-1) ?? ''
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const clean = base.replace(/[\u0000-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '').trim()
  return clean.slice(-120) || 'file'
}
