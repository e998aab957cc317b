import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Collection, MongoClient } from 'mongodb'
import { expect, it } from 'vitest'
import { runCli, startStore } from '../server/embedded/support/process.ts'

interface Thing {
  _id: number
  n: number
  pad: string
}

const WRITERS = 6
const PAD = 'x'.repeat(2000)
const OUT_OF_DISK_SPACE = 14031

/** A place with little room, and how it gets more. */
interface Tight {
  readonly directory: string
  /** What starts the store. */
  readonly before: readonly string[]
  fill(): Promise<void>
  free(pid: number): Promise<void>
  remove(): Promise<void>
}

/** A file system in memory; only root may mount one. */
async function tightDisk(home: string): Promise<Tight | undefined> {
  const mount = join(home, 'disk')
  await mkdir(mount)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', mount], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  const filler = join(mount, 'filler')
  return {
    directory: join(mount, 'db'),
    before: [],
    fill: () => writeFile(filler, Buffer.alloc(18 * 1024 * 1024)),
    free: () => rm(filler),
    remove: async () => {
      execFileSync('umount', [mount])
    },
  }
}

/** A limit on how long a file may grow, which every user may set for a process and take away again. */
async function tightFiles(home: string): Promise<Tight> {
  return {
    directory: join(home, 'files'),
    before: ['prlimit', '--fsize=1500000:unlimited'],
    fill: async () => undefined,
    free: async (pid) => {
      execFileSync('prlimit', ['--pid', String(pid), '--fsize=unlimited:unlimited'])
    },
    remove: async () => undefined,
  }
}

const places: [string, (home: string) => Promise<Tight | undefined>][] = [
  ['a disk that is full', tightDisk],
  ['a file that may not grow', tightFiles],
]

it.each(places)(
  '%s is an error to writers and to nobody else, and ends when there is room',
  async (_, make) => {
    const home = await mkdtemp(join(tmpdir(), 'nexus-full-'))
    const tight = await make(home)
    if (!tight) {
      console.log('skipped: mounting a file system needs root')
      return
    }
    const { child, uri, exited } = await startStore(tight.directory, tight.before)
    const client = await new MongoClient(uri, { maxPoolSize: WRITERS + 1, retryWrites: false }).connect()
    const things = client.db().collection<Thing>('things')
    await things.createIndex({ n: 1 }, { unique: true })
    await tight.fill()
    const acknowledged = new Map<number, number>()
    const refused = new Map<number, number>()
    let next = 0
    let failures = 0
    const write = async (until: () => boolean): Promise<void> => {
      while (!until()) {
        const id = next++
        const n = id * 10
        try {
          await things.insertOne({ _id: id, n, pad: PAD })
          acknowledged.set(id, n)
          const changed = await things.findOneAndUpdate(
            { _id: id },
            { $inc: { n: 1 } },
            { returnDocument: 'after' },
          )
          if (changed) acknowledged.set(id, changed.n)
        } catch (error) {
          expect(error).toMatchObject({ code: OUT_OF_DISK_SPACE, codeName: 'OutOfDiskSpace' })
          if (!acknowledged.has(id)) refused.set(id, n)
          failures++
        }
      }
    }
    const writers = (until: () => boolean) => Promise.all(Array.from({ length: WRITERS }, () => write(until)))
    await writers(() => failures > 50)
    expect(acknowledged.size).toBeGreaterThan(100)
    await holdsExactly(things, acknowledged)
    await tight.free(child.pid ?? 0)
    const before = acknowledged.size
    await expect
      .poll(() => tryOne(things, acknowledged, next++), { timeout: 20_000, interval: 200 })
      .toBe(true)
    await writers(() => acknowledged.size > before + 200)
    await holdsExactly(things, acknowledged)
    child.kill('SIGKILL')
    await exited
    await client.close()
    expect(await runCli(['--check', '--dir', tight.directory])).toMatchObject({ code: 0 })
    const again = await startStore(tight.directory)
    const second = await new MongoClient(again.uri).connect()
    await holdsExactly(second.db().collection<Thing>('things'), acknowledged)
    await second.close()
    again.child.kill('SIGTERM')
    await again.exited
    await tight.remove()
    await rm(home, { recursive: true, force: true })
  },
)

async function tryOne(
  things: Collection<Thing>,
  acknowledged: Map<number, number>,
  id: number,
): Promise<boolean> {
  try {
    await things.insertOne({ _id: id, n: id * 10, pad: PAD })
    acknowledged.set(id, id * 10)
    return true
  } catch {
    return false
  }
}

/** Everything acknowledged is there as it was acknowledged, and nothing that was refused. */
async function holdsExactly(things: Collection<Thing>, acknowledged: Map<number, number>): Promise<void> {
  const stored = await things.find({}, { projection: { n: 1 } }).toArray()
  expect(new Map(stored.map(({ _id, n }) => [_id, n]))).toEqual(acknowledged)
}
