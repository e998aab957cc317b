import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import { encodeCommand } from './answers.ts'
import { STEPS_PER_SEED, stepsOf } from './episode.ts'

/** Another server's answers to the commands of many seeds: two bytes for each. */
export interface Recording {
  readonly seeds: ReadonlyMap<number, readonly number[]>
}

const SEEDS_IN_FINGERPRINT = 24
const FINGERPRINT_BYTES = 8

/** What the generator makes now: a recording of another generator's commands says nothing about these. */
function fingerprint(): Buffer {
  const hash = createHash('sha256')
  for (let seed = 1; seed <= SEEDS_IN_FINGERPRINT; seed++) {
    for (const { command } of stepsOf(seed)) hash.update(encodeCommand(command))
  }
  return hash.digest().subarray(0, FINGERPRINT_BYTES)
}

/** Writes a recording: for each seed its number, how many answers follow, and their digests. */
export function writeRecording(path: string, { seeds }: Recording): void {
  const parts = [fingerprint()]
  for (const [seed, digests] of [...seeds].sort(([a], [b]) => a - b)) {
    const bytes = Buffer.alloc(5 + digests.length * 2)
    bytes.writeUInt32LE(seed, 0)
    bytes.writeUInt8(digests.length, 4)
    digests.forEach((digest, i) => {
      bytes.writeUInt16LE(digest, 5 + i * 2)
    })
    parts.push(bytes)
  }
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }
  writeFileSync(path, brotliCompressSync(Buffer.concat(parts), quality))
}

/** Reads a recording; says so when it was made of other commands. */
export function readRecording(path: string): Recording {
  if (!existsSync(path)) throw new Error(`${path} is not there: record it`)
  const bytes = brotliDecompressSync(readFileSync(path))
  if (!bytes.subarray(0, FINGERPRINT_BYTES).equals(fingerprint())) {
    throw new Error(
      'The commands of the differential test have changed since the answers were recorded. Record them again: DIFFERENTIAL_RECORD=1 MONGODB_URI=... npx vitest run --config test/vitest.config.ts test/server/embedded/differential.test.ts',
    )
  }
  const seeds = new Map<number, number[]>()
  let at = FINGERPRINT_BYTES
  while (at < bytes.length) {
    const seed = bytes.readUInt32LE(at)
    const count = Math.min(bytes.readUInt8(at + 4), STEPS_PER_SEED)
    seeds.set(
      seed,
      Array.from({ length: count }, (_, i) => bytes.readUInt16LE(at + 5 + i * 2)),
    )
    at += 5 + count * 2
  }
  return { seeds }
}
