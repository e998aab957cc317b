import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { Redis } from 'ioredis'
import { inject } from 'vitest'
import { eventually } from './eventually.ts'

/** A real Redis of the test's own, that can be killed, paused and brought back on the same port. */
export class RedisServer {
  readonly port: number
  readonly url: string
  #process: ChildProcess | undefined

  private constructor(port: number) {
    this.port = port
    this.url = `redis://127.0.0.1:${port}`
  }

  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await freePort())
    await server.start()
    return server
  }

  async start(): Promise<void> {
    const options = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    this.#process = spawn(inject('redisServer'), options, { stdio: 'ignore' })
    const probe = new Redis(this.url, {
      lazyConnect: true,
      retryStrategy: () => 20,
      maxRetriesPerRequest: null,
    })
    probe.on('error', () => {})
    await eventually(() => probe.ping())
    probe.disconnect()
  }

  /** As a power cut would: what it held is gone. */
  async kill(): Promise<void> {
    const process = this.#process
    if (!process || process.exitCode !== null) return
    const ended = new Promise((resolve) => process.once('exit', resolve))
    process.kill('SIGCONT')
    process.kill('SIGKILL')
    await ended
  }

  pause(): void {
    this.#process?.kill('SIGSTOP')
  }
  resume(): void {
    this.#process?.kill('SIGCONT')
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })
}
