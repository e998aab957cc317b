import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { MediaId } from '../../../models/ids.ts'
import { newId } from '../../../models/ids.ts'
import { StoredFile } from '../../../models/stored-file.ts'
import { type Clock, SystemClock } from '../../../server/clock.ts'
import { MediaFetcher, TIDY_MS } from '../../../server/media/fetch.ts'
import { Library } from '../../../server/media/library.ts'
import { DiskStorage } from '../../../server/media/storage.ts'
import { eventually } from '../../support/eventually.ts'
import { SECRET, World } from '../../support/world.ts'

const DAY_MS = 24 * 60 * 60_000
const clock = new SystemClock()

let world: World
let directory: string
let storage: DiskStorage
let library: Library
beforeAll(async () => {
  world = await World.start()
  directory = await mkdtemp(join(tmpdir(), 'nexus-tidy-'))
  storage = new DiskStorage(directory)
  await storage.prepare(clock.now())
  library = new Library({ storage, clock, secrets: [SECRET], publicUrl: () => 'http://localhost' })
})
afterAll(async () => {
  await world.end()
  await rm(directory, { recursive: true, force: true })
})

const pathOf = (sha256: string) => join(directory, sha256.slice(0, 2), sha256)
/** Bytes that were kept so long ago, with a file that names them or without. */
async function keep(text: string, age: number, named: boolean): Promise<string> {
  const { sha256, size } = await storage.put(Buffer.from(text))
  const at = new Date(clock.now().getTime() - age)
  await utimes(pathOf(sha256), at, at)
  if (named)
    await StoredFile.create({
      _id: newId<MediaId>(),
      workspace: world.workspace,
      name: 'a.txt',
      mime: 'text/plain',
      size,
      sha256,
      createdAt: at,
    })
  return sha256
}
const going = () => false

test('where no file is known at all, the folder is left alone', async () => {
  const sha256 = await keep('of another database', 2 * DAY_MS, false)
  expect(await library.tidy(going)).toBe(0)
  expect(existsSync(pathOf(sha256))).toBe(true)
  await rm(pathOf(sha256))
})

test('bytes go a day after nothing names them any more; those of a file stay, and so do young ones', async () => {
  const kept = await keep('named', 2 * DAY_MS, true)
  const young = await keep('on its way in', DAY_MS - 60_000, false)
  const gone = await Promise.all(
    Array.from({ length: 5 }, (_, index) => keep(`nobody’s ${index}`, DAY_MS + 60_000, false)),
  )
  expect(await library.tidy(() => true), 'a node that stops removes no more').toBe(0)
  expect(await library.tidy(going)).toBe(5)
  expect(gone.some((sha256) => existsSync(pathOf(sha256)))).toBe(false)
  expect(Buffer.from(await storage.bytes(kept)).toString()).toBe('named')
  expect(existsSync(pathOf(young))).toBe(true)
  expect(await library.tidy(going)).toBe(0)

  await StoredFile.deleteOne({ workspace: world.workspace, sha256: kept })
  await keep('another', 0, true)
  expect(await library.tidy(going)).toBe(1)
  await expect(storage.bytes(kept)).rejects.toThrow('ENOENT')
})

test('removing what is kept again, or gone already, does nothing', async () => {
  const before = new Date(clock.now().getTime() - DAY_MS)
  const sha256 = await keep('twice', 2 * DAY_MS, false)
  await storage.put(Buffer.from('twice'))
  expect(await storage.remove(sha256, before)).toBe(false)
  expect(Buffer.from(await storage.bytes(sha256)).toString()).toBe('twice')
  const nobodys = createHash('sha256').update('never kept').digest('hex')
  expect(await storage.remove(nobodys, before)).toBe(false)
  await expect(storage.remove('../../etc/passwd', before)).rejects.toThrow('not a hash')
})

test('a node tidies by itself, every hour', async () => {
  const hours: (() => void)[] = []
  const hands: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    after(ms, callback) {
      if (ms === TIDY_MS) hours.push(callback)
      return { cancel: () => {} }
    },
  }
  const { log, directory: inboxes, providers, broadcasts } = world.node.parts
  const fetcher = new MediaFetcher({
    clock: hands,
    log,
    directory: inboxes,
    providers,
    library,
    broadcasts,
  })
  fetcher.start()
  for (let hour = 0; hour < 2; hour++) {
    const sha256 = await keep(`hour ${hour}`, 2 * DAY_MS, false)
    await eventually(() => hours.length > 0)
    hours.shift()?.()
    await eventually(() => !existsSync(pathOf(sha256)))
  }
  await fetcher.stop()
})
