import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A database under measurement: its address, and the processes that do its work. */
export interface StoreServer {
  readonly name: string
  readonly uri: string
  /** They come and go with their connections, so they are asked for each time. */
  readonly pids: () => number[]
  readonly close: () => Promise<void>
}

const CLI = join(import.meta.dirname, '../../../dist/server/embedded/cli.js')

/** The embedded store in a process of its own, on a directory of its own. */
export class Embedded implements StoreServer {
  readonly name = 'embedded'
  readonly #directory = mkdtempSync(join(tmpdir(), 'nexus-store-bench-'))
  readonly #profile: string | undefined
  #process: ChildProcess | undefined
  uri = ''

  constructor(profile: string | undefined) {
    this.#profile = profile
  }

  /** Resolves to the milliseconds until it listens. */
  async start(): Promise<number> {
    const since = performance.now()
    const profiling = this.#profile ? ['--cpu-prof', `--cpu-prof-dir=${this.#profile}`] : []
    const child = spawn(
      process.execPath,
      [...profiling, CLI, '--port', '0', '--dir', join(this.#directory, 'db')],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    this.#process = child
    for await (const line of createInterface({ input: child.stdout })) {
      const { uri } = JSON.parse(line) as { uri?: string }
      if (!uri) continue
      this.uri = uri
      return performance.now() - since
    }
    throw new Error('the embedded store did not start')
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  readonly pids = (): number[] => [this.pid]

  /** Ends the process; the data stays. */
  async stop(): Promise<void> {
    const child = this.#process
    if (!child || child.exitCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
  }

  readonly close = async (): Promise<void> => {
    await this.stop()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

/** The server at an address of this machine: whoever listens there, and PostgreSQL, should that be behind it. */
export function otherServer(uri: string): StoreServer {
  const { hostname, port } = new URL(uri)
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(hostname))
    throw new Error(
      `MONGODB_URI names ${hostname}: only a server on this machine can have its processor time read`,
    )
  const listener = listenerOf(Number(port || 27017))
  return {
    name: 'other',
    uri,
    pids: () => [
      ...(listener ? [listener] : []),
      ...processes().filter((pid) => commandOf(pid) === 'postgres'),
    ],
    close: async () => undefined,
  }
}

const processes = (): number[] => readdirSync('/proc').map(Number).filter(Number.isInteger)

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}

/** The process with a listening socket on a port. */
function listenerOf(port: number): number | undefined {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const inodes = new Set<string>()
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readFileSync(file, 'utf8').split('\n').slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
      if (local?.endsWith(suffix) && state === '0A') inodes.add(`socket:[${inode}]`)
    }
  }
  return processes().find((pid) => openFiles(pid).some((file) => inodes.has(file)))
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`)
      } catch {
        return ''
      }
    })
  } catch {
    return []
  }
}
