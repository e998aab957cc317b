import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DIFFERENCES, type Difference } from './support/differences.ts'
import { openTestStore, type TestStore } from './support/embedded.ts'
import { compare, inWorlds, prepareWorld, replay } from './support/episode.ts'
import { WORLDS } from './support/random-commands.ts'
import { RawConnection } from './support/raw-connection.ts'
import { readRecording, writeRecording } from './support/recording.ts'

/*
 * Random commands, the same to the embedded store and to another server: every answer has to be equal, byte for byte
 * where it holds documents. Without another server the answers it gave before are compared.
 *
 *   MONGODB_URI=...              compare with that server, a few seeds
 *   DIFFERENTIAL_SEEDS=20000     as many seeds as wanted, 60 commands each
 *   DIFFERENTIAL_FIRST_SEED=1    from that seed on
 *   DIFFERENTIAL_RECORD=1        and keep its answers in recorded/answers.br
 *   DIFFERENTIAL_RECORD=more     or add them to those that are there
 */
const oracleUri = process.env.MONGODB_URI
const record = process.env.DIFFERENTIAL_RECORD !== undefined
const SEEDS = Number(process.env.DIFFERENTIAL_SEEDS ?? (record ? 3000 : 120))
const FIRST_SEED = Number(process.env.DIFFERENTIAL_FIRST_SEED ?? 1)
const RECORDED = join(import.meta.dirname, 'recorded/answers.br')
/** So many answers are compared at least; without this, an empty recording would do. */
const RECORDED_AT_LEAST = 27_000
const CONNECTIONS = 8
const DAY_MS = 24 * 60 * 60 * 1000

let store: TestStore

beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store.close())

describe('the embedded store answers as another server', () => {
  it('did, when its answers were recorded', { timeout: DAY_MS, skip: record }, async () => {
    const { seeds } = readRecording(RECORDED)
    const wires = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => RawConnection.open(store.serving.uri)),
    )
    const preparing = wires[0] as RawConnection
    for (let world = 0; world < WORLDS; world++) await prepareWorld(preparing, world)
    const differences: string[] = []
    await inWorlds([...seeds.keys()], wires, async (seed, wire) => {
      const difference = await replay(seed, seeds.get(seed) ?? [], wire)
      if (difference) differences.push(difference)
    })
    for (const wire of wires) wire.close()
    const compared = [...seeds.values()].flat().filter((digest) => digest !== 0).length
    console.log(`${compared} recorded answers of ${seeds.size} seeds were compared`)
    expect(differences.slice(0, 20)).toEqual([])
    expect(compared).toBeGreaterThan(RECORDED_AT_LEAST)
  })

  it('does', { timeout: DAY_MS, skip: !oracleUri }, async () => {
    const pairs = await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => ({
        ours: await RawConnection.open(store.serving.uri),
        theirs: await RawConnection.open(oracleUri ?? ''),
      })),
    )
    const { ours, theirs } = pairs[0] as { ours: RawConnection; theirs: RawConnection }
    for (let world = 0; world < WORLDS; world++) {
      await prepareWorld(ours, world)
      await prepareWorld(theirs, world)
    }
    const recorded = new Map<number, number[]>()
    const known = new Map<Difference, number>()
    const differences: string[] = []
    let commands = 0
    const seeds = Array.from({ length: SEEDS }, (_, i) => FIRST_SEED + i)
    await inWorlds(seeds, pairs, async (seed, pair) => {
      const run = await compare(seed, pair.ours, pair.theirs)
      commands += run.digests.length
      recorded.set(seed, run.digests)
      differences.push(...run.differences)
      for (const [difference, count] of run.known) known.set(difference, (known.get(difference) ?? 0) + count)
    })
    for (const pair of pairs) {
      pair.ours.close()
      pair.theirs.close()
    }
    console.log(
      `${commands} commands of ${SEEDS} seeds from ${FIRST_SEED}: ${differences.length} differences`,
    )
    for (const difference of DIFFERENCES) {
      const count = known.get(difference)
      if (count) console.log(`  ${count} times: ${difference.reason} (${difference.manual})`)
    }
    if (record) {
      mkdirSync(dirname(RECORDED), { recursive: true })
      const before = process.env.DIFFERENTIAL_RECORD === 'more' ? readRecording(RECORDED).seeds : []
      writeRecording(RECORDED, { seeds: new Map([...before, ...recorded]) })
    }
    expect(differences.slice(0, 20)).toEqual([])
  })
})
