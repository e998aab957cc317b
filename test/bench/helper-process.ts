import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'

interface Asked {
  id: number
  command: string
  given: unknown
}
type Told = { id: number; result: unknown } | { id: number; error: string }

/** A part of the bench in a process of its own, so that its work is counted apart. It answers commands. */
export class HelperProcess {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  #count = 0

  /** @param file beside this one, without `.ts` */
  constructor(file: string) {
    this.#child = fork(join(import.meta.dirname, `${file}.ts`), [], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#child.on('message', (told: Told) => {
      const waiting = this.#waiting.get(told.id)
      this.#waiting.delete(told.id)
      if ('error' in told) waiting?.reject(new Error(told.error))
      else waiting?.resolve(told.result)
    })
    this.#child.once('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`the bench's ${file} process ended (${code ?? signal})`))
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  ask<T>(command: string, given: unknown = {}): Promise<T> {
    const id = ++this.#count
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject })
      this.#child.send({ id, command, given } satisfies Asked)
    })
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

/** The other end: runs the commands it is asked for, and ends with its parent. */
export function answerCommands(commands: Record<string, (given: never) => Promise<unknown>>): void {
  const tell = (told: Told) => process.send?.(told)
  process.on('message', ({ id, command, given }: Asked) => {
    const run = commands[command]
    if (!run) return tell({ id, error: `there is no command ${command}` })
    run(given as never).then(
      (result) => tell({ id, result: result ?? null }),
      (error: Error) => tell({ id, error: error.stack ?? error.message }),
    )
  })
  process.once('disconnect', () => process.exit(0))
}
