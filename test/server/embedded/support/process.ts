import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'vite'
import { afterAll } from 'vitest'

const ROOT = new URL('../../../../', import.meta.url).pathname

const BUILT = join(ROOT, 'node_modules/.cache', `nexus-embedded-${process.pid}`)
let built: Promise<string> | undefined
afterAll(async () => {
  built = undefined
  await rm(BUILT, { recursive: true, force: true })
})

/** The command line as one script: it starts three times as fast as from source, which counts when it is killed often. */
function builtCli(): Promise<string> {
  built ??= buildCli(BUILT)
  return built
}

async function buildCli(outDir: string): Promise<string> {
  await build({
    configFile: false,
    logLevel: 'error',
    root: ROOT,
    build: { ssr: 'server/embedded/cli.ts', outDir, emptyOutDir: true, target: 'node20' },
  })
  return join(outDir, 'cli.js')
}

async function spawnCli(args: readonly string[], before: readonly string[] = []): Promise<ChildProcess> {
  const [command = '', ...rest] = [...before, process.execPath, await builtCli(), ...args]
  return spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** A store in a process of its own, to be killed. */
export interface StoreProcess {
  readonly child: ChildProcess
  readonly uri: string
  readonly exited: Promise<unknown>
}

/** Serves a directory on a free port; `before` is a command that starts it, like `prlimit`. */
export async function startStore(directory: string, before: readonly string[] = []): Promise<StoreProcess> {
  const child = await spawnCli(['--dir', directory, '--port', '0'], before)
  const exited = once(child, 'exit')
  child.stderr?.pipe(process.stderr)
  const lines = createInterface({ input: child.stdout ?? process.stdin })
  const [line] = (await Promise.race([once(lines, 'line'), exited.then(() => [])])) as [string | undefined]
  const { uri } = JSON.parse(line ?? '{}') as { uri?: string }
  if (!uri) throw new Error('the store did not start')
  return { child, uri, exited }
}

/** Runs the command line to its end. */
export async function runCli(args: readonly string[]): Promise<{ code: number; said: string }> {
  const child = await spawnCli(args)
  let said = ''
  child.stdout?.on('data', (chunk) => {
    said += chunk
  })
  child.stderr?.on('data', (chunk) => {
    said += chunk
  })
  const [code] = (await once(child, 'close')) as [number]
  return { code, said }
}
