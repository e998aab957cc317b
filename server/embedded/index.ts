import { Worker } from 'node:worker_threads'
import type { Log } from './engine.ts'
import { type Listen, type ServeOptions, type Serving, serve } from './server.ts'
import type { WorkerInput } from './worker.ts'

export type { Log } from './engine.ts'
export type { Listen, ServeOptions, Serving } from './server.ts'

export interface EmbeddedOptions {
  /** Where the data lies; made when it is not there, and reachable by its owner only. */
  readonly directory: string
  readonly listen?: Listen
  readonly log?: Log
  /** Called when the thread ends without being asked to: whoever stands on it has to stop too. */
  readonly onExit?: (error: Error) => void
}

export interface Embedded {
  /** What a driver connects to. */
  readonly uri: string
  /** Resolves, with the reason, when the thread ends without being asked to. */
  readonly died: Promise<Error>
  close(): Promise<void>
}

type Message =
  | { kind: 'log'; line: Parameters<Log>[0] }
  | { kind: 'listening'; uri: string }
  | { kind: 'failed'; message: string }
  | { kind: 'closed' }

/** Starts the embedded database in a thread of its own. */
export function startEmbedded({ directory, listen, log, onExit }: EmbeddedOptions): Promise<Embedded> {
  const worker = startThread({ directory, listen })
  let closing = false
  let reason: Error | undefined
  const ended = new Promise<number>((resolve) => worker.on('exit', resolve))
  const died = new Promise<Error>((resolve) => {
    void ended.then((code) => {
      if (closing) return
      const error = reason ?? new Error(`the embedded database ended unexpectedly with code ${code}`)
      onExit?.(error)
      resolve(error)
    })
  })
  return new Promise((resolve, reject) => {
    worker.on('error', (error: Error) => {
      reason = error
      reject(error)
    })
    void died.then(reject)
    worker.on('message', (message: Message) => {
      switch (message.kind) {
        case 'log':
          log?.(message.line)
          return
        case 'failed':
          closing = true
          reject(new Error(message.message))
          return
        case 'listening':
          resolve({
            uri: message.uri,
            died,
            close: async () => {
              closing = true
              worker.postMessage('close')
              await ended
            },
          })
          return
        case 'closed':
      }
    })
  })
}

/** Built, the thread's file runs as it is; from source, Node 20 needs tsx, which a thread has to register itself. */
function startThread(input: WorkerInput): Worker {
  if (!import.meta.url.endsWith('.ts')) {
    return new Worker(new URL('./worker.js', import.meta.url), { workerData: input })
  }
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'))
  const source = JSON.stringify(new URL('./worker.ts', import.meta.url).href)
  return new Worker(`import(${tsx}).then(({ register }) => { register(); return import(${source}) })`, {
    eval: true,
    execArgv: [],
    workerData: input,
  })
}

/** Serves the embedded database in the calling thread, for tests. */
export const serveEmbedded = (options: ServeOptions): Promise<Serving> => serve(options)
