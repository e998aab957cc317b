import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { validateDocument } from '../bson/validate.ts'
import { MAX_DOCUMENT_BYTES } from '../storage/collection.ts'

/** The documents of a file in which BSON documents follow each other, each checked; `.gz` is taken as well. */
export async function* readBsonFile(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: 1024 * 1024 })
  const source = path.endsWith('.gz') ? file.pipe(createGunzip()) : file
  file.on('error', (error) => source.destroy(error))
  let rest = Buffer.alloc(0)
  let position = 0
  for await (const chunk of source as AsyncIterable<Buffer>) {
    const bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    while (bytes.length - at >= 4) {
      const size = bytes.readInt32LE(at)
      if (size < 5 || size > MAX_DOCUMENT_BYTES) {
        throw new Error(`${path} is no BSON: at byte ${position + at} a document says it has ${size} bytes`)
      }
      if (at + size > bytes.length) break
      try {
        validateDocument(bytes, at, at + size)
      } catch (error) {
        throw new Error(`${path} at byte ${position + at}: ${(error as Error).message}`, { cause: error })
      }
      yield bytes.subarray(at, at + size)
      at += size
    }
    rest = Buffer.from(bytes.subarray(at))
    position += at
  }
  if (rest.length > 0) throw new Error(`${path} ends in the middle of a document, at byte ${position}`)
}
