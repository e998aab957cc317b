import type { FileView } from './protocol.ts'
import { Ring } from './ring.ts'

export interface StoredFile extends FileView {
  bytes: Buffer
}

const MAX_FILES = 200
const MAX_TOTAL_BYTES = 64 * 1_048_576

/** Pictures and documents that went either way, the oldest forgotten first. */
export class Files {
  readonly #newId: () => string
  readonly #ring: Ring<string, StoredFile>
  #total = 0

  /** @param newId gives 32 hexadecimal digits that nobody guesses */
  constructor(newId: () => string) {
    this.#newId = newId
    this.#ring = new Ring(MAX_FILES, (file) => {
      this.#total -= file.size
    })
  }

  add(name: string, mime: string, bytes: Buffer): StoredFile {
    const id = this.#newId()
    const file = { id, name: name.slice(0, 200) || 'file', mime, size: bytes.length, bytes }
    this.#total += file.size
    this.#ring.set(id, file)
    for (const oldest of this.#ring.values()) {
      if (this.#total <= MAX_TOTAL_BYTES || oldest.id === id) break
      this.#ring.delete(oldest.id)
    }
    return file
  }

  get(id: string): StoredFile | undefined {
    return this.#ring.get(id)
  }
}

export const fileView = ({ id, name, mime, size }: StoredFile): FileView => ({ id, name, mime, size })

/** What a file looks like to a person. */
export function kindOfFile(mime: string): 'image' | 'video' | 'audio' | 'document' {
  const [family] = mime.split('/')
  return family === 'image' || family === 'video' || family === 'audio' ? family : 'document'
}

/** Clients write the names of uploads in UTF-8, multer reads them as Latin-1. */
export const utf8Name = (name: string): string => Buffer.from(name, 'latin1').toString('utf8')
