import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Db, MongoClient, type MongoClientOptions } from 'mongodb'
import { type ServeOptions, type Serving, serveEmbedded } from '../../../../server/embedded/index.ts'

export interface TestStore {
  readonly directory: string
  readonly serving: Serving
  readonly client: MongoClient
  readonly db: Db
  close(): Promise<void>
}

/** An embedded store of its own, with a driver connected. */
export async function openTestStore({
  client: clientOptions,
  ...options
}: Partial<ServeOptions> & { client?: MongoClientOptions } = {}): Promise<TestStore> {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-embedded-'))
  const serving = await serveEmbedded({ directory, ...options })
  const client = await new MongoClient(serving.uri, clientOptions).connect()
  return {
    directory,
    serving,
    client,
    db: client.db(),
    close: async () => {
      await client.close()
      await serving.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** The code and message of a call that has to fail. */
export async function failureOf(call: Promise<unknown>): Promise<{ code: unknown; message: string }> {
  try {
    await call
  } catch (error) {
    const { code, message } = error as Error & { code: unknown }
    return { code, message }
  }
  throw new Error('the call succeeded')
}
