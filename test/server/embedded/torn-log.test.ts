import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeDocument, encodeDocument } from '../../../server/embedded/bson/plain.ts'
import { documentOf } from '../../../server/embedded/bson/raw.ts'
import { intValue } from '../../../server/embedded/bson/values.ts'
import { Engine } from '../../../server/embedded/engine.ts'
import { afterPrefix } from '../../../server/embedded/storage/keys.ts'
import { readLog } from '../../../server/embedded/storage/log-file.ts'
import { Scrub } from '../../../server/embedded/storage/scrub.ts'
import { checkStore } from '../../../server/embedded/tools/check.ts'
import { runTool } from '../../../server/embedded/tools/run.ts'
import { Random } from './support/random.ts'

/** How many bytes lie between two cuts; 1 cuts at every byte. */
const STRIDE = Number(process.env.CUT_STRIDE ?? 1499)
const WRITES = 40
/** Longer than two of the log's blocks, so that its record is in pieces. */
const LONG = 70_000

let home: string
/** A store as a crash left it: its log holds one record for each acknowledged write. */
let written: string
let log: string
let bytes: Buffer
/** What the collection held before the first write and after each. */
const states: string[] = []
/** Where each write begins and ends in the log. */
const records: { start: number; end: number }[] = []

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'nexus-torn-'))
  const directory = join(home, 'live')
  const random = new Random(5)
  const first = await Engine.open({ directory })
  const collection = first.catalog.create('nexus', 'cut', encodeDocument({}))
  for (const specification of [
    { key: { owner: 1 }, name: 'owner', unique: true },
    { key: { tags: 1, n: -1 }, name: 'tags' },
  ]) {
    first.catalog.addIndex(collection, first.catalog.newIndex(documentOf(encodeDocument(specification))))
  }
  collection.insert(encodeDocument({ _id: 99, owner: 'o99', n: 0, tags: [1, 2] }))
  await first.store.commit()
  await first.close()
  // The second start moves that into a table, so that the log holds the writes alone.
  const engine = await Engine.open({ directory })
  const cut = engine.catalog.require('nexus', 'cut')
  states.push(await stateOf(engine))
  for (let i = 0; i < WRITES; i++) {
    for (let n = 0; n <= random.below(3); n++) {
      const id = random.below(12)
      const key = cut.documentKey(intValue(id))
      const before = cut.latest(key)
      const pad = 'x'.repeat(i === 20 ? LONG : random.below(60))
      const after = encodeDocument({ _id: id, owner: `o${id}`, n: i, tags: [i % 3, n], pad })
      if (before && random.chance(0.2)) cut.remove(key, before)
      else if (before) cut.replace(key, before, after)
      else cut.insert(after)
    }
    await engine.store.commit()
    states.push(await stateOf(engine))
  }
  written = join(home, 'written')
  await cp(directory, written, { recursive: true })
  await engine.close()
  log =
    (await readdir(written))
      .filter((name) => name.endsWith('.log'))
      .sort()
      .at(-1) ?? ''
  bytes = await readFile(join(written, log))
  readLog(bytes, ({ start, end }) => records.push({ start, end }))
}, 60_000)
afterAll(() => rm(home, { recursive: true, force: true }))

async function stateOf(engine: Engine): Promise<string> {
  const { prefix } = engine.catalog.require('nexus', 'cut')
  const documents = await engine.store.level.values({ gte: prefix, lt: afterPrefix(prefix) }).all()
  return JSON.stringify(documents.map((document) => decodeDocument(document)))
}

/** A copy of what the crash left, changed, then opened: what it holds, and what is wrong in it. */
async function opened(
  change: (directory: string) => Promise<void>,
): Promise<{ state: string; wrong: string[] }> {
  const directory = join(home, 'changed')
  await rm(directory, { recursive: true, force: true })
  await cp(written, directory, { recursive: true })
  await change(directory)
  const engine = await Engine.open({ directory })
  try {
    const wrong: string[] = []
    await checkStore(engine, (line) => wrong.push(line))
    return { state: await stateOf(engine), wrong }
  } finally {
    await engine.close()
  }
}

async function flip(path: string, at: number): Promise<void> {
  const file = await readFile(path)
  file[at] = (file[at] as number) ^ 0x10
  await writeFile(path, file)
}

describe('a log that a crash cut', () => {
  it('has a record for each write, one of them in pieces', () => {
    expect(records).toHaveLength(WRITES)
    expect(Math.max(...records.map(({ start, end }) => end - start))).toBeGreaterThan(LONG)
    expect(new Set(states).size).toBe(states.length)
  })

  it('opens as it was after the last write that is whole, wherever it was cut', {
    timeout: 3_600_000,
  }, async () => {
    const cuts = new Set<number>()
    for (let at = 0; at <= bytes.length; at += STRIDE) cuts.add(at)
    const [, small = { start: 0, end: 0 }] = records
    for (let at = small.start; at <= small.end; at++) cuts.add(at)
    for (let block = 32768; block < bytes.length; block += 32768) {
      for (let at = block - 9; at <= block + 9; at++) cuts.add(at)
    }
    for (const { start, end } of records) for (const at of [start + 3, start + 7, end - 1, end]) cuts.add(at)
    for (const cut of cuts) {
      const whole = records.filter(({ end }) => end <= cut).length
      const { state, wrong } = await opened((directory) => truncate(join(directory, log), cut))
      expect({ cut, state, wrong }).toEqual({ cut, state: states[whole], wrong: [] })
    }
  })

  it('opens as well when the disk had left zeros where the last write should be', async () => {
    const last = records.at(-1)
    const zeroed = Buffer.from(bytes).fill(0, last?.start)
    const { state, wrong } = await opened((directory) => writeFile(join(directory, log), zeroed))
    expect([state, wrong]).toEqual([states[WRITES - 1], []])
  })
})

describe('a damaged byte', () => {
  it('in the log is told at the start with what to do, and never skipped', async () => {
    const random = new Random(6)
    const last = records.at(-1)?.start ?? 0
    for (let i = 0; i < 60; i++) {
      const at = random.below(last)
      const change = (directory: string) => flip(join(directory, log), at)
      await expect(opened(change), `byte ${at}`).rejects.toThrow(
        /is damaged at byte \d+ of.*backup.*truncate -s/,
      )
      const said: string[] = []
      expect(await runTool({ kind: 'check' }, join(home, 'changed'), (line) => said.push(line))).toBe(1)
      expect(said.join()).toContain(`${log} is damaged at byte`)
    }
  })

  it('in the last write is that of a write that was interrupted', async () => {
    const { start = 0, end = 0 } = records.at(-1) ?? {}
    for (let at = start; at < end; at += 17) {
      const { state, wrong } = await opened((directory) => flip(join(directory, log), at))
      expect([at, state, wrong]).toEqual([at, states[WRITES - 1], []])
    }
  })

  it('in a table is found by a check', async () => {
    const random = new Random(7)
    const directory = join(home, 'tables')
    await cp(written, directory, { recursive: true })
    // A start moves the log into a table.
    await (await Engine.open({ directory })).close()
    const tables = (await readdir(directory)).filter((name) => name.endsWith('.ldb'))
    expect(tables.length).toBeGreaterThan(0)
    const sound: string[] = []
    // A table that was being written when the process died belongs to nothing yet.
    await writeFile(join(directory, '000999.ldb'), 'half a table')
    expect(await runTool({ kind: 'check' }, directory, (line) => sound.push(line))).toBe(0)
    for (let i = 0; i < 40; i++) {
      const name = random.pick(tables)
      const path = join(directory, name)
      const before = await readFile(path)
      // The footer's padding says nothing.
      const at = random.below(before.length - 48)
      await flip(path, at)
      const said: string[] = []
      expect(await runTool({ kind: 'check' }, directory, (line) => said.push(line)), `byte ${at}`).toBe(1)
      expect(said.join('\n')).toMatch(new RegExp(`${name} is damaged: .*\n.*restore it from a backup`))
      await writeFile(path, before)
    }
  })

  it('in a table is told while the store is served, when it is still there at a second look', async () => {
    const directory = join(home, 'served')
    await cp(written, directory, { recursive: true })
    await (await Engine.open({ directory })).close()
    const day = 24 * 60 * 60 * 1000
    let now = 0
    const told: string[] = []
    const scrub = new Scrub(
      directory,
      () => now,
      (damage) => told.push(damage),
    )
    await scrub.turn()
    const [table = ''] = (await readdir(directory)).filter((name) => name.endsWith('.ldb'))
    await flip(join(directory, table), 100)
    now = day - 1
    await scrub.turn()
    await scrub.turn()
    expect(told).toEqual([])
    now = day
    await scrub.turn()
    expect(told).toEqual([])
    await scrub.turn()
    expect(told).toEqual([expect.stringContaining(`${table} is damaged`)])
  })
})
