import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from './eventually.ts'

/** How a process ended: one of the two is null. */
export interface Ending {
  code: number | null
  signal: NodeJS.Signals | null
}

interface Options {
  /** Kept across restarts, as a volume is. */
  dataDir: string
  port: number
  env?: Record<string, string>
  /** Flags for Node itself, such as `--cpu-prof`. */
  nodeFlags?: string[]
}

const ROOT = join(import.meta.dirname, '../..')
const BUILT = join(ROOT, 'dist/server/main.js')
const SOURCE = join(ROOT, 'server/main.ts')
/** Enough of its last words to see why it ended. */
const OUTPUT_KEPT = 64 * 1024
const READY_WITHIN_MS = 30_000

/** The server as an operator runs it: a process of its own, that can be killed and started again on the same data and port. */
export class NodeProcess {
  readonly url: string
  readonly #options: Options
  #child: ChildProcess | undefined
  #ended: Promise<Ending> = Promise.resolve({ code: null, signal: null })
  #output = ''

  constructor(options: Options) {
    this.#options = options
    this.url = `http://127.0.0.1:${options.port}`
  }

  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error('the process is not running')
    return pid
  }

  /** The last of what all of its lives wrote, both streams together. */
  get output(): string {
    return this.#output
  }

  /** Resolves once the current life is over. */
  get ended(): Promise<Ending> {
    return this.#ended
  }

  /** Starts a life, without waiting for it to serve. */
  launch(): void {
    const { dataDir, port, env, nodeFlags = [] } = this.#options
    const main = existsSync(BUILT) ? [BUILT] : ['--import', 'tsx', SOURCE]
    const child = spawn(process.execPath, [...nodeFlags, ...main], {
      cwd: ROOT,
      env: { ...bareEnvironment(), LOG_LEVEL: 'warn', ...env, DATA_DIR: dataDir, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-OUTPUT_KEPT)
      })
    this.#child = child
    this.#ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })))
  }

  /** Resolves when `/ready` says 200; throws with its last words if the process ends before. */
  async ready(): Promise<void> {
    const child = this.#child
    const early = this.#ended.then(({ code, signal }) => {
      throw new Error(`the server ended before it was ready (${code ?? signal}):\n${this.#output}`)
    })
    early.catch(() => {})
    await Promise.race([
      early,
      eventually(async () => child !== this.#child || (await fetch(`${this.url}/ready`)).ok, READY_WITHIN_MS),
    ])
  }

  async start(): Promise<this> {
    this.launch()
    await this.ready()
    return this
  }

  /** Sends a signal and waits for the end. Nothing to do where it ended already. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Ending> {
    this.#child?.kill(signal)
    return this.#ended
  }
}

/** The environment without anything that would set up the server behind the test's back. */
function bareEnvironment(): NodeJS.ProcessEnv {
  const { NODE_ENV: _mode, NODE_OPTIONS: _options, VITEST: _vitest, ...rest } = process.env
  return Object.fromEntries(Object.entries(rest).filter(([name]) => !SETTINGS.has(name)))
}

const SETTINGS = new Set([
  'PORT',
  'HOST',
  'PUBLIC_URL',
  'DATA_DIR',
  'MONGODB_URI',
  'REDIS_URL',
  'SECRET_KEY',
  'LOG_LEVEL',
  'SANDBOX',
  'ADMIN_EMAIL',
  'ADMIN_PASSWORD',
])
