import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { MongoClient } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { serveEmbedded } from '../../../server/embedded/index.ts'
import { type FormatStep, upgradeFormat } from '../../../server/embedded/storage/format.ts'
import { FORMAT_KEY, UPGRADE_KEY } from '../../../server/embedded/storage/keys.ts'
import type { Level } from '../../../server/embedded/storage/store.ts'
import { runCli, startStore } from './support/process.ts'

it('finishes what a crash left of a drop or an index build', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-half-'))
  const first = await serveEmbedded({ directory })
  const { store, catalog } = first.engine
  const client = await new MongoClient(first.uri).connect()
  await client
    .db()
    .collection('kept')
    .insertMany([{ a: 1 }, { a: 2 }])
  await client
    .db()
    .collection('gone')
    .insertMany([{ a: 1 }, { a: 2 }])
  await client.db().collection('kept').createIndex({ a: 1 })
  const kept = catalog.require('nexus', 'kept')
  const [index] = kept.indexes
  if (index) index.building = true
  catalog.save(kept)
  catalog.drop(catalog.require('nexus', 'gone'))
  await store.commit()
  await client.close()
  await first.close()
  const second = await serveEmbedded({ directory })
  expect(second.engine.catalog.require('nexus', 'kept').indexes).toEqual([])
  expect(second.engine.catalog.get('nexus', 'gone')).toBeUndefined()
  const left = async () => (await second.engine.store.level.keys().all()).filter((key) => key[0] !== 0).length
  await expect.poll(left).toBe(2)
  await second.close()
  await rm(directory, { recursive: true, force: true })
})

it('refuses a format it does not know, by name', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-format-'))
  const level = new ClassicLevel<string, string>(directory)
  await level.put('\0format', '99')
  await level.close()
  await expect(serveEmbedded({ directory })).rejects.toThrow(/storage format 99; this version reads format 1/)
  await rm(directory, { recursive: true, force: true })
})

it('is open in one process at a time; the second is told what to do', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-lock-'))
  const first = await startStore(directory)
  for (const args of [['--port', '0'], ['--check'], ['--dump', join(directory, 'out')]]) {
    const { code, said } = await runCli(['--dir', directory, ...args])
    expect([code, said]).toEqual([
      1,
      expect.stringMatching(/already open in another process: stop that one first/),
    ])
  }
  const client = await new MongoClient(first.uri).connect()
  expect(await client.db().command({ ping: 1 })).toMatchObject({ ok: 1 })
  await client.close()
  first.child.kill('SIGKILL')
  await first.exited
  expect(await runCli(['--check', '--dir', directory])).toMatchObject({ code: 0 })
  await rm(directory, { recursive: true, force: true })
})

describe('an upgrade of the storage format', () => {
  const KEYS = 10
  const PER_PART = 3
  /** Turns every value of format 1 from `old` to `new`, then every value of format 2 to `newest`. */
  const turn = (
    from: number,
    word: string,
    runs: string[],
    dieAfter = Number.POSITIVE_INFINITY,
  ): FormatStep => ({
    from,
    run: async (level, reached, save) => {
      let parts = 0
      while (true) {
        const gt = reached ?? Buffer.from([1])
        const keys = await level.keys({ gt, lt: Buffer.from([2]), limit: PER_PART }).all()
        const last = keys.at(-1)
        if (!last) return
        if (parts++ === dieAfter) throw new Error('killed')
        for (const key of keys) runs.push(`${word} ${key[1]}`)
        await save(
          keys.map((key) => ({ key, value: Buffer.from(word) })),
          last,
        )
        reached = last
      }
    },
  })

  it('takes one step after the other, once, and goes on where it was interrupted', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'nexus-upgrade-'))
    const level: Level = new ClassicLevel<Buffer, Buffer>(directory, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
    })
    await level.put(FORMAT_KEY, Buffer.from('1'))
    for (let i = 0; i < KEYS; i++) await level.put(Buffer.from([1, i]), Buffer.from('old'))
    const runs: string[] = []
    const upgrade = (steps: FormatStep[]) => upgradeFormat(level, directory, { steps, version: 3 })
    await expect(upgrade([turn(1, 'new', runs, 2), turn(2, 'newest', runs)])).rejects.toThrow('killed')
    expect((await level.get(FORMAT_KEY))?.toString()).toBe('1')
    await upgrade([turn(1, 'new', runs), turn(2, 'newest', runs)])
    const each = (word: string) => Array.from({ length: KEYS }, (_, i) => `${word} ${i}`)
    expect(runs).toEqual([...each('new'), ...each('newest')])
    expect((await level.get(FORMAT_KEY))?.toString()).toBe('3')
    expect(await level.get(UPGRADE_KEY)).toBeUndefined()
    await upgrade([turn(1, 'again', runs), turn(2, 'again', runs)])
    expect(runs).toHaveLength(2 * KEYS)
    const values = await level.values({ gt: Buffer.from([1]), lt: Buffer.from([2]) }).all()
    expect(new Set(values.map(String))).toEqual(new Set(['newest']))
    await level.close()
    await rm(directory, { recursive: true, force: true })
  })
})
