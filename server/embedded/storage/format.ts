import { FORMAT_KEY, FORMAT_VERSION, UPGRADE_KEY } from './keys.ts'
import type { Level } from './store.ts'

/** Stores a part of an upgrade, and how far it is, in one synced write. */
export type SavePart = (
  writes: Iterable<{ readonly key: Buffer; readonly value: Buffer | null }>,
  reached: Buffer,
) => Promise<void>

/** How a store of one layout becomes one of the next. */
export interface FormatStep {
  /** The layout it starts from; it ends in the one after. */
  readonly from: number
  /** `reached` is what the last part saved, when a former run was interrupted. */
  readonly run: (level: Level, reached: Buffer | undefined, save: SavePart) => Promise<void>
}

/** Every layout there ever was leads to today's. A new `FORMAT_VERSION` adds the step from the one before. */
const STEPS: readonly FormatStep[] = []

/** Brings a store to today's layout. What was interrupted goes on where it was; what is done is not done again. */
export async function upgradeFormat(
  level: Level,
  directory: string,
  { steps = STEPS, version = FORMAT_VERSION } = {},
): Promise<void> {
  const stored = await level.get(FORMAT_KEY)
  if (stored === undefined) {
    await level.put(FORMAT_KEY, Buffer.from(String(version)), { sync: true })
    return
  }
  let format = Number(stored.toString())
  while (format !== version) {
    const step = steps.find(({ from }) => from === format)
    if (!step || !(format < version)) {
      throw new Error(
        `${directory} was written in storage format ${stored.toString()}; this version reads format ${version}. Start the version that wrote it, or name another directory.`,
      )
    }
    await step.run(level, await level.get(UPGRADE_KEY), (writes, reached) =>
      writeAll(level, [...writes, { key: UPGRADE_KEY, value: reached }]),
    )
    format++
    await writeAll(level, [
      { key: FORMAT_KEY, value: Buffer.from(String(format)) },
      { key: UPGRADE_KEY, value: null },
    ])
  }
}

async function writeAll(
  level: Level,
  writes: Iterable<{ readonly key: Buffer; readonly value: Buffer | null }>,
): Promise<void> {
  const batch = level.batch()
  for (const { key, value } of writes) {
    if (value === null) batch.del(key)
    else batch.put(key, value)
  }
  await batch.write({ sync: true })
}
