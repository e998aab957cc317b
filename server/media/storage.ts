import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

/** Keeps bytes by their own hash: the same file twice is stored once, and a name can never point outside. */
export interface MediaStorage {
  /** Takes a file over from where an upload left it. Durable when it resolves. */
  adopt(path: string): Promise<{ sha256: string; size: number }>
  put(bytes: Uint8Array): Promise<{ sha256: string; size: number }>
  read(sha256: string): Promise<Readable>
  bytes(sha256: string): Promise<Uint8Array>
  /** Every hash it keeps bytes of, some at a time. */
  hashes(): AsyncIterable<string[]>
  /** Removes bytes, unless they came, or came again, after `before`; says whether it did. */
  remove(sha256: string, before: Date): Promise<boolean>
}

const HASH = /^[0-9a-f]{64}$/
/** An upload that nothing was added to for so long has no process behind it. */
const ABANDONED_MS = 60 * 60 * 1000

/** Files under a folder, spread over 256 subfolders: one machine keeps its own, many must share one. */
export class DiskStorage implements MediaStorage {
  readonly #directory: string
  /** Where uploads land before they are taken over. */
  readonly incoming: string

  constructor(directory: string) {
    this.#directory = directory
    this.incoming = join(directory, 'incoming')
  }

  /**
   * Makes the folders, and clears what a dead process left of unfinished uploads: only the old ones, since nodes that share
   * the folder may be in the middle of theirs.
   */
  async prepare(now: Date): Promise<void> {
    await mkdir(this.incoming, { recursive: true, mode: 0o700 })
    for (const name of await readdir(this.incoming)) {
      const path = join(this.incoming, name)
      const changed = await stat(path).catch(() => null) // another node may have taken it over meanwhile
      if (changed && now.getTime() - changed.mtimeMs > ABANDONED_MS) await rm(path, { force: true })
    }
  }

  async adopt(path: string): Promise<{ sha256: string; size: number }> {
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
    const sha256 = hash.digest('hex')
    const { size } = await stat(path)
    const file = await open(path, 'r+')
    await file.sync().finally(() => file.close())
    await mkdir(this.#folder(sha256), { recursive: true, mode: 0o700 })
    await rename(path, this.#path(sha256))
    return { sha256, size }
  }

  async put(bytes: Uint8Array): Promise<{ sha256: string; size: number }> {
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const path = join(this.incoming, `${sha256}.${process.hrtime.bigint()}`)
    const file = await open(path, 'wx', 0o600)
    await file.writeFile(bytes).finally(() => file.close())
    return this.adopt(path)
  }

  async read(sha256: string): Promise<Readable> {
    await stat(this.#path(sha256))
    return createReadStream(this.#path(sha256))
  }

  async bytes(sha256: string): Promise<Uint8Array> {
    return readFile(this.#path(sha256))
  }

  async *hashes(): AsyncGenerator<string[]> {
    for (const folder of await readdir(this.#directory))
      if (/^[0-9a-f]{2}$/.test(folder))
        yield (await readdir(join(this.#directory, folder))).filter((name) => HASH.test(name))
  }

  async remove(sha256: string, before: Date): Promise<boolean> {
    const path = this.#path(sha256)
    const isOld = async (at: string) => (await stat(at)).mtimeMs < before.getTime()
    try {
      if (!(await isOld(path))) return false
      // Taken aside first, and looked at again there: the same bytes may be kept anew at this very moment.
      const aside = join(this.incoming, `${sha256}.${process.hrtime.bigint()}`)
      await rename(path, aside)
      const old = await isOld(aside)
      await (old ? rm(aside) : rename(aside, path))
      return old
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false // another node was faster
      throw error
    }
  }

  #folder(sha256: string): string {
    if (!HASH.test(sha256)) throw new Error('not a hash')
    return join(this.#directory, sha256.slice(0, 2))
  }
  #path(sha256: string): string {
    return join(this.#folder(sha256), sha256)
  }
}
