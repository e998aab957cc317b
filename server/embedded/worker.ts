import { parentPort, workerData } from 'node:worker_threads'
import { type Listen, serve } from './server.ts'

/** What the thread is started with. */
export interface WorkerInput {
  readonly directory: string
  readonly listen: Listen | undefined
}

const { directory, listen } = workerData as WorkerInput

try {
  const serving = await serve({
    directory,
    ...(listen ? { listen } : {}),
    log: (line) => parentPort?.postMessage({ kind: 'log', line }),
  })
  parentPort?.on('message', async (message: unknown) => {
    if (message !== 'close') return
    await serving.close()
    parentPort?.postMessage({ kind: 'closed' })
    parentPort?.close()
  })
  parentPort?.postMessage({ kind: 'listening', uri: serving.uri })
} catch (error) {
  parentPort?.postMessage({ kind: 'failed', message: (error as Error).message })
  parentPort?.close()
}
