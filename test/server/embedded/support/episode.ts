import { createHash } from 'node:crypto'
import { documentOf } from '../../../../server/embedded/bson/raw.ts'
import { type Answer, ask, contrast, digestOf, encodeCommand, linesOf, writeErrorsOf } from './answers.ts'
import { type Difference, differenceOf } from './differences.ts'
import { Random } from './random.ts'
import { commandsOf, indexesOf, type Step, WORLDS } from './random-commands.ts'
import type { RawConnection } from './raw-connection.ts'

export const STEPS_PER_SEED = 60

const worldOf = (seed: number): number => seed % WORLDS
const indexesIn = (world: number) => indexesOf(world, new Random(world + 1))

/** A world's collection is named by its indexes, so that a server may keep it from run to run. */
const names = Array.from({ length: WORLDS }, (_, world) => {
  const hash = createHash('sha1')
    .update(JSON.stringify(indexesIn(world)))
    .digest('hex')
  return `world${world}_${hash.slice(0, 6)}`
})
export const collectionOf = (world: number): string => names[world] ?? ''

/** The commands of a seed, as every server is asked them. */
export const stepsOf = (seed: number): Generator<Step> => {
  const world = worldOf(seed)
  return commandsOf(collectionOf(world), indexesIn(world), new Random(seed * 7919 + 13), STEPS_PER_SEED)
}

/** Makes a world's collection with its indexes where it is not there yet: one server takes seconds for each. */
export async function prepareWorld(connection: RawConnection, world: number): Promise<void> {
  const collection = collectionOf(world)
  const indexes = indexesIn(world)
  const there = linesOf(await connection.run(encodeCommand({ listIndexes: collection })))
  if (there.length === indexes.length + 1 && there.some((line) => line.includes('"_id_"'))) return
  await connection.run(encodeCommand({ drop: collection }))
  await connection.run(encodeCommand({ create: collection }))
  if (indexes.length > 0) await connection.run(encodeCommand({ createIndexes: collection, indexes }))
}

/** Does seeds, a collection's one after another, several collections at once. */
export async function inWorlds<Hand>(
  seeds: readonly number[],
  hands: readonly Hand[],
  work: (seed: number, hand: Hand) => Promise<void>,
): Promise<void> {
  const queues = Array.from({ length: WORLDS }, (_, world) => seeds.filter((seed) => worldOf(seed) === world))
  await Promise.all(
    hands.map(async (hand) => {
      for (let queue = queues.shift(); queue; queue = queues.shift()) {
        for (const seed of queue) await work(seed, hand)
      }
    }),
  )
}

const empty = (wire: RawConnection, seed: number) =>
  wire.run(encodeCommand({ delete: collectionOf(worldOf(seed)), deletes: [{ q: {}, limit: 0 }] }))

/** What a seed's run against two servers found. */
export interface Run {
  /** A digest for each command that was asked; zero where the other server is known to differ. */
  readonly digests: number[]
  readonly known: Map<Difference, number>
  readonly differences: string[]
}

/** Runs a seed against both servers, until its commands end or the two hold different things. */
export async function compare(seed: number, ours: RawConnection, theirs: RawConnection): Promise<Run> {
  await Promise.all([empty(ours, seed), empty(theirs, seed)])
  const digests: number[] = []
  const known = new Map<Difference, number>()
  const differences: string[] = []
  const unseen: string[] = []
  for (const step of stepsOf(seed)) {
    const command = encodeCommand(step.command)
    const [a, b] = await Promise.all([ask(ours, step, command), ask(theirs, step, command)])
    if (a.bytes.equals(b.bytes)) {
      digests.push(digestOf(a))
      if (failedMidway(step, a)) break
      if (step.writes) unseen.push(describe(step))
      else if (readsAll(step)) unseen.length = 0
      continue
    }
    const difference = differenceOf(step, a, b)
    if (difference) known.set(difference, (known.get(difference) ?? 0) + 1)
    else differences.push(report(seed, digests.length, step, unseen, a, b))
    if (difference?.diverges ?? (step.writes || readsAll(step))) break
    if (failedMidway(step, a)) break
    digests.push(0)
  }
  return { digests, known, differences }
}

/** An update of many that is refused keeps what it did so far; which that is, nobody says. */
const failedMidway = (step: Step, answer: Answer): boolean =>
  JSON.stringify(step.command.updates ?? '').includes('"multi":true') &&
  writeErrorsOf(documentOf(answer.replies[0] as Buffer)).length > 0

/** A difference in everything there is comes from a write before. */
const readsAll = (step: Step): boolean => 'find' in step.command && Object.keys(step.command).length === 2

/** Runs a seed's recorded part against one server; answers what is not as it was. */
export async function replay(
  seed: number,
  digests: readonly number[],
  ours: RawConnection,
): Promise<string | undefined> {
  await empty(ours, seed)
  let asked = 0
  for (const step of stepsOf(seed)) {
    const digest = digests[asked]
    if (digest === undefined) return undefined
    const answer = await ask(ours, step, encodeCommand(step.command))
    if (digest !== 0 && digestOf(answer) !== digest) {
      return `seed ${seed}, command ${asked}: ${describe(step)}\n  ours   ${answer.replies.flatMap(linesOf).join(' ')}`
    }
    asked++
  }
  return undefined
}

const describe = (step: Step): string => linesOf(Buffer.from(encodeCommand(step.command))).join()

const report = (
  seed: number,
  at: number,
  step: Step,
  unseen: string[],
  ours: Answer,
  theirs: Answer,
): string =>
  [
    `seed ${seed}, command ${at}: ${describe(step)}`,
    contrast(ours, theirs),
    ...unseen.slice(-3).map((each) => `  after  ${each}`),
  ].join('\n')
