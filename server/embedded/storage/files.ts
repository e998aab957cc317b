import { readdirSync, readFileSync, truncateSync } from 'node:fs'
import { open, readdir, readFile, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { type LogRecord, readLog } from './log-file.ts'
import { findTableDamage } from './table-file.ts'

const LOG = /^\d+\.log$/
const TABLE = /^\d+\.(ldb|sst)$/

const byNumber = (a: string, b: string): number => Number.parseInt(a, 10) - Number.parseInt(b, 10)

/** Whether a store was ever made in this directory. */
export async function isStore(directory: string): Promise<boolean> {
  return stat(join(directory, 'CURRENT')).then(
    () => true,
    () => false,
  )
}

/** What is wrong with the logs, which hold the newest writes; LevelDB itself would skip it without a word. */
export async function findLogDamage(directory: string): Promise<string[]> {
  const damage: string[] = []
  for (const name of await namesOf(directory, LOG)) {
    const bytes = await readFile(join(directory, name)).catch(goneIsNothing)
    if (!bytes) continue
    const end = readLog(bytes)
    if (end.kind !== 'damaged') continue
    damage.push(
      `${join(directory, name)} is damaged at byte ${end.at} of ${bytes.length}: what follows is whole, so no interrupted write did this`,
    )
  }
  return damage
}

/** What is wrong with the tables, which hold all older writes. Reads every byte of them. */
export async function* findDamagedTables(directory: string): AsyncGenerator<string> {
  for (const name of await namesOf(directory, TABLE)) {
    const path = join(directory, name)
    const file = await open(path).catch(goneIsNothing)
    if (!file) continue
    try {
      const damage = await findTableDamage(file, (await file.stat()).size)
      if (damage) yield `${path} is damaged: ${damage}`
    } finally {
      await file.close()
    }
  }
}

async function namesOf(directory: string, pattern: RegExp): Promise<string[]> {
  const names = await readdir(directory).catch(() => [])
  return names.filter((name) => pattern.test(name)).sort(byNumber)
}

/** LevelDB removes a log once its writes are in a table, and a table once it is merged into others. */
function goneIsNothing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

/** A place in the newest log. */
export interface LogPosition {
  readonly path: string
  readonly length: number
}

/**
 * Takes a write that failed out of the newest log, as far as it came in: it was refused, so no later start may find
 * it. Answers what is kept of the log.
 */
export function cutRefused(
  directory: string,
  isRefused: (record: LogRecord) => boolean,
): LogPosition | undefined {
  const name = readdirSync(directory)
    .filter((each) => LOG.test(each))
    .sort(byNumber)
    .at(-1)
  if (!name) return undefined
  const path = join(directory, name)
  let length = 0
  const end = readLog(readFileSync(path), (record) => {
    if (!isRefused(record)) length = record.end
  })
  if (end.kind === 'damaged') return undefined
  truncateSync(path, length)
  return { path, length }
}

/** Whether the disk takes as much as a start may need; it writes so much, since quotas are not told otherwise. */
export async function hasRoomToStart(directory: string): Promise<boolean> {
  const path = join(directory, 'nexus.space')
  const noise = Buffer.alloc(SPARE_BYTES)
  try {
    let needed = SPARE_BYTES
    for (const name of await namesOf(directory, LOG)) needed += (await stat(join(directory, name))).size
    const { bavail, bsize } = await statfs(directory)
    if (bavail * bsize < needed) return false
    const file = await open(path, 'w', 0o600)
    try {
      for (; needed > 0; needed -= noise.length) await file.write(noise)
      await file.sync()
    } finally {
      await file.close()
    }
    return true
  } catch {
    return false
  } finally {
    await rm(path, { force: true })
  }
}

/** Room for a new log and a list of tables, beside what is in the logs. */
const SPARE_BYTES = 1024 * 1024
