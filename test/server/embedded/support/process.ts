import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const CLI = new URL('../../../../server/embedded/cli.ts', import.meta.url).pathname

/** A store in a process of its own, to be killed. */
export interface StoreProcess {
  readonly child: ChildProcess
  readonly uri: string
  readonly exited: Promise<unknown>
}

function spawnCli(args: readonly string[], before: readonly string[] = []): ChildProcess {
  const [command = '', ...rest] = [...before, process.execPath, '--import', 'tsx', CLI, ...args]
  return spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Serves a directory on a free port; `before` is a command that starts it, like `prlimit`. */
export async function startStore(directory: string, before: readonly string[] = []): Promise<StoreProcess> {
  const child = spawnCli(['--dir', directory, '--port', '0'], before)
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
  const child = spawnCli(args)
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
