import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestProject } from 'vitest/node'
import { find } from './system.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A server for every test file; each takes a database of its own on it. */
    mongodbUri: string
    redisServer: string
    chromium: string
  }
}

/** Finds what the tests need of the system, and starts the store they share: the embedded one, or the one that is set. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  project.provide('redisServer', find('redis'))
  project.provide('chromium', find('chromium'))
  const given = process.env.MONGODB_URI
  if (given) {
    console.log('Store: the one at MONGODB_URI')
    project.provide('mongodbUri', given)
    return async () => {}
  }
  const directory = mkdtempSync(join(tmpdir(), 'nexus-test-'))
  const { uri, stop } = await embedded(directory)
  console.log('Store: the embedded default')
  project.provide('mongodbUri', uri)
  return async () => {
    await stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The embedded store in a process of its own, as `npm run embedded` serves it. */
async function embedded(directory: string): Promise<{ uri: string; stop(): Promise<void> }> {
  const cli = join(import.meta.dirname, '../../server/embedded/cli.ts')
  const server = spawn(process.execPath, ['--import', 'tsx', cli, '--port', '0', '--dir', directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  for await (const line of createInterface(server.stdout)) {
    const { uri } = JSON.parse(line) as { uri?: string }
    if (!uri) continue
    server.stdout.resume()
    return {
      uri,
      stop: () => {
        server.kill('SIGTERM')
        return ended
      },
    }
  }
  throw new Error('the embedded store did not start')
}
