import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type StoreProcess, startStore } from './support/process.ts'

/*
 * MongoDB's own shell against the embedded store. The shell is 150 MB of packages, so it is no dependency of ours:
 * MONGOSH names one, or it is on the PATH.
 */
const HOW =
  'skipped: no mongosh; npm install --ignore-scripts --prefix /tmp/mongosh mongosh, then MONGOSH=/tmp/mongosh/node_modules/.bin/mongosh'

function findMongosh(): string | undefined {
  if (process.env.MONGOSH) return process.env.MONGOSH
  try {
    return execFileSync('which', ['mongosh'], { encoding: 'utf8' }).trim()
  } catch {
    console.log(HOW)
    return undefined
  }
}

const mongosh = findMongosh()

describe.skipIf(!mongosh)('mongosh', () => {
  let home: string
  let store: StoreProcess

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'nexus-mongosh-'))
    store = await startStore(join(home, 'db'))
  })
  afterAll(async () => {
    store.child.kill('SIGTERM')
    await store.exited
    await rm(home, { recursive: true, force: true })
  })

  /** Types lines into the shell, and answers what it printed for each. */
  async function type(lines: readonly string[]): Promise<string[]> {
    const shell = spawn(mongosh ?? '', [store.uri, '--quiet', '--norc'], {
      env: { ...process.env, HOME: home, NO_COLOR: '1' },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    let printed = ''
    shell.stdout.on('data', (chunk) => {
      printed += chunk
    })
    shell.stdin.end(`${['use shop', ...lines, 'exit'].join('\n')}\n`)
    await once(shell, 'close')
    // Each answer follows a prompt.
    return printed
      .replaceAll('\r', '')
      .split(/^(?:nexus|shop)> /m)
      .slice(2)
  }

  it('reads, iterates, aggregates, makes indexes, explains and lists', async () => {
    const [inserted, first, second, third, none, groups, index, plan, collections, databases, indexes] =
      await type([
        'db.goods.insertMany(Array.from({ length: 45 }, (_, i) => ({ _id: i, name: "n" + i, price: i % 7 }))).acknowledged',
        'db.goods.find({}, { name: 1 })',
        'it',
        'it',
        'it',
        "db.goods.aggregate([{ $group: { _id: '$price', n: { $sum: 1 } } }, { $sort: { _id: 1 } }, { $limit: 2 }])",
        'db.goods.createIndex({ name: 1 }, { unique: true })',
        "db.goods.find({ name: 'n3' }).explain().queryPlanner.winningPlan.inputStage.indexName",
        'show collections',
        'show dbs',
        'db.goods.getIndexes()',
      ])
    expect(inserted).toMatch(/^true/)
    expect(first).toMatch(/_id: 0, name: 'n0'[\s\S]*_id: 19, name: 'n19'[\s\S]*Type "it" for more/)
    expect(second).toMatch(/_id: 20, name: 'n20'[\s\S]*_id: 39, name: 'n39'[\s\S]*Type "it" for more/)
    expect(third).toMatch(/_id: 44, name: 'n44'/)
    expect(third).not.toMatch(/Type "it"/)
    expect(none).toMatch(/^no cursor/)
    expect(groups).toMatch(/^\[ \{ _id: 0, n: 7 \}, \{ _id: 1, n: 7 \} \]/)
    expect(index).toMatch(/^name_1/)
    expect(plan).toMatch(/^name_1/)
    expect(collections).toMatch(/^goods/)
    expect(databases).toMatch(/^shop +[\d.]+ \w*B/)
    expect(indexes).toMatch(/\{ v: 2, key: \{ name: 1 \}, name: 'name_1', unique: true \}/)
  })

  it('shows errors as it does those of MongoDB', async () => {
    const [, , id, name, unknown, command] = await type([
      'db.errors.insertOne({ _id: 0, name: "a" })',
      'db.errors.createIndex({ name: 1 }, { unique: true })',
      'db.errors.insertOne({ _id: 0 })',
      'db.errors.insertOne({ _id: 1, name: "a" })',
      'db.errors.find({ $nope: 1 })',
      'db.runCommand({ nope: 1 })',
    ])
    expect(id).toMatch(
      /^Uncaught MongoServerError: E11000 duplicate key error collection: shop\.errors index: _id_ dup key: \{ _id: 0 \}/,
    )
    expect(name).toMatch(/^Uncaught MongoServerError: E11000 .* index: name_1 dup key: \{ name: "a" \}/)
    expect(unknown).toMatch(/^Uncaught MongoServerError\[BadValue\]: unknown top level operator: \$nope/)
    expect(command).toMatch(/^Uncaught MongoServerError\[CommandNotFound\]: no such command: 'nope'/)
  })
})
