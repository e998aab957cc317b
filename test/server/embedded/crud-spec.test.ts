import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestStore, type TestStore } from './support/embedded.ts'
import { runUnified, type UnifiedFile, whyNot } from './support/unified.ts'

const DIRECTORY = join(import.meta.dirname, 'crud-spec')
const files = readdirSync(DIRECTORY)
  .filter((name) => name.endsWith('.json'))
  .map((name) => ({ name, file: JSON.parse(readFileSync(join(DIRECTORY, name), 'utf8')) as UnifiedFile }))
const given = process.env.MONGODB_URI

/** What the embedded store refuses by name, with what it answers. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  'estimatedDocumentCount works correctly on views': /viewOn/,
}

/** What DocumentDB does not serve, where that is the server at MONGODB_URI: hints of findAndModify, and sessions. */
const DOCUMENTDB_LACKS = [/^FindOneAnd\w+ with hint (string|document)$/, /\$listLocalSessions/]
const isDocumentDb = given !== undefined && (await gitVersionOf(given)) === 'documentdb'

async function gitVersionOf(uri: string): Promise<unknown> {
  const client = await new MongoClient(uri).connect()
  try {
    const { gitVersion } = await client.db().command({ buildInfo: 1 })
    return gitVersion
  } finally {
    await client.close()
  }
}

let store: TestStore

beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store.close())

const applying = files.map(({ name, file }) => ({
  name,
  file,
  tests: file.tests.filter((test) => whyNot(file, test) === undefined),
}))

describe("MongoDB's CRUD specification", () => {
  it('is all here', () => {
    const all = files.flatMap(({ file }) => file.tests)
    expect(files).toHaveLength(100)
    expect(all).toHaveLength(303)
    const count = applying.reduce((sum, { tests }) => sum + tests.length, 0)
    console.log(
      `CRUD specification: ${count} of ${all.length} tests are for a standalone server of version 7.0`,
    )
  })

  describe.each(applying.filter(({ tests }) => tests.length > 0))('$name', ({ file, tests }) => {
    it.each(tests)('$description', async (test) => {
      const refused = REFUSED[test.description]
      const run = runUnified(store.serving.uri, file, test)
      if (refused) await expect(run).rejects.toThrow(refused)
      else await run
    })

    it.runIf(given).each(tests)('$description (the server at MONGODB_URI)', async (test) => {
      const run = runUnified(given ?? '', file, test)
      if (isDocumentDb && DOCUMENTDB_LACKS.some((lack) => lack.test(test.description)))
        await expect(run).rejects.toThrow()
      else await run
    })
  })
})
