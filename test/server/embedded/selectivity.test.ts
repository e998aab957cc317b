import type { Document } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestStore, type TestStore } from './support/embedded.ts'

const COUNT = 6000

let store: TestStore

beforeAll(async () => {
  store = await openTestStore()
  const jobs = store.db.collection<{ _id: number } & Document>('jobs')
  await jobs.createIndexes([
    { key: { state: 1 } },
    { key: { owner: 1 } },
    { key: { at: 1 } },
    { key: { tags: 1 } },
    { key: { urgent: 1 }, sparse: true },
    { key: { team: 1, email: 1 } },
    { key: { team: 1, phone: 1 } },
  ])
  await jobs.insertMany(
    Array.from({ length: COUNT }, (_, i) => ({
      _id: i,
      state: i % 1000 === 0 ? 'stuck' : 'done',
      owner: `owner${i % 3000}`,
      at: i,
      tags: ['all', `t${i % 100}`],
      team: i % 2,
      email: `e${i}`,
      phone: `p${i}`,
      ...(i % 600 === 0 ? { urgent: true } : {}),
    })),
  )
})
afterAll(() => store.close())

interface Stage extends Document {
  stage: string
  inputStage?: Stage
  inputStages?: Stage[]
}

const leaves = (stage: Stage): Stage[] => {
  const below = [...(stage.inputStage ? [stage.inputStage] : []), ...(stage.inputStages ?? [])]
  return below.length === 0 ? [stage] : below.flatMap(leaves)
}

async function explained(command: Document) {
  const answer = await store.db.command({ explain: command, verbosity: 'executionStats' })
  const plan = answer.queryPlanner.winningPlan as Stage
  return {
    plan,
    indexes: leaves(plan).map(({ indexName }) => indexName),
    rejected: answer.queryPlanner.rejectedPlans.length as number,
    stats: answer.executionStats as Document,
  }
}

const find = (filter: Document, more: Document = {}) => explained({ find: 'jobs', filter, ...more })

describe('of several indexes', () => {
  it('the one that holds fewest of what is asked for is read', async () => {
    expect(await find({ state: 'done', owner: 'owner7' })).toMatchObject({
      indexes: ['owner_1'],
      rejected: 1,
      stats: { nReturned: 2, totalKeysExamined: 2, totalDocsExamined: 2 },
    })
    expect(await find({ state: 'stuck', at: { $gte: 100 } })).toMatchObject({
      indexes: ['state_1'],
      stats: { nReturned: 5, totalKeysExamined: 6 },
    })
  })

  it('order is worth more than selectivity when the first few are wanted, and less when few match', async () => {
    const { indexes, stats } = await find({ state: 'done' }, { sort: { at: 1 }, limit: 10 })
    expect(indexes).toEqual(['at_1'])
    expect(stats.nReturned).toBe(10)
    expect(stats.totalDocsExamined).toBeLessThanOrEqual(30)
    expect(await find({ owner: 'owner7' }, { sort: { at: 1 }, limit: 10 })).toMatchObject({
      indexes: ['owner_1'],
      stats: { nReturned: 2, totalDocsExamined: 2 },
    })
  })

  it('a hint has its way, however dear', async () => {
    expect(await find({ state: 'done', owner: 'owner7' }, { hint: 'state_1' })).toMatchObject({
      indexes: ['state_1'],
      rejected: 0,
      stats: { nReturned: 2, totalKeysExamined: COUNT - COUNT / 1000 },
    })
  })

  it('each branch of an $or goes by its own, with what is demanded beside it', async () => {
    const { indexes, plan, stats } = await find({ team: 1, $or: [{ email: 'e7' }, { phone: 'p9' }] })
    expect(indexes).toEqual(['team_1_email_1', 'team_1_phone_1'])
    expect(stats).toMatchObject({ nReturned: 2, totalKeysExamined: 2, totalDocsExamined: 2 })
    expect(leaves(plan)[0]?.indexBounds).toEqual({ team: ['[1, 1]'], email: ['["e7", "e7"]'] })
  })

  it('a sparse index serves where its field is demanded', async () => {
    expect(await find({ urgent: { $exists: true } })).toMatchObject({
      indexes: ['urgent_1'],
      stats: { nReturned: 10, totalKeysExamined: 10 },
    })
  })
})

describe('a decision', () => {
  it('is kept for the shape of a question, and taken back when it turns out dear', async () => {
    const { decisions } = store.serving.engine.catalog.require('nexus', 'jobs')
    const jobs = store.db.collection('jobs')
    const filter = (state: string) => ({ state, tags: 't1', at: { $gte: 0 } })
    expect(await jobs.countDocuments(filter('stuck'))).toBe(0)
    const shapes = decisions.size
    expect(shapes).toBeGreaterThan(0)
    expect(await jobs.countDocuments(filter('stuck'))).toBe(0)
    expect(decisions.size).toBe(shapes)
    // By the index that held six of the first, this one reads thousands.
    expect(await jobs.find(filter('done')).toArray()).toHaveLength(60)
    expect(decisions.size).toBe(shapes - 1)
    expect(await jobs.find(filter('done')).toArray()).toHaveLength(60)
    expect(decisions.size).toBe(shapes)
  })
})

describe('a count', () => {
  const count = (query: Document) => explained({ count: 'jobs', query })

  it('reads no document where an index tells it', async () => {
    for (const [query, n] of [
      [{ state: 'done' }, 5994],
      [{ at: { $gte: 10, $lt: 30 } }, 20],
      [{ owner: { $in: ['owner1', 'owner2', 'nobody'] } }, 4],
      [{ tags: 't7' }, 60],
      [{ tags: { $gte: 't97' } }, 180],
      [{ team: 1, email: { $lt: 'e1' } }, 0],
      [{}, COUNT],
    ] as const) {
      const { plan, stats } = await count(query)
      expect([plan.stage, plan.inputStage?.stage], JSON.stringify(query)).toEqual(['COUNT', 'COUNT_SCAN'])
      expect(stats, JSON.stringify(query)).toMatchObject({ nReturned: n, totalDocsExamined: 0 })
      expect(await store.db.collection('jobs').countDocuments(query)).toBe(n)
    }
  })

  it('reads documents where an index does not tell them apart', async () => {
    for (const query of [
      { state: 'done', owner: 'owner7' },
      { state: /^st/ },
      { tags: { $gt: 'a', $lt: 'b' } },
    ]) {
      expect((await count(query)).stats.totalDocsExamined, JSON.stringify(query)).toBeGreaterThan(0)
    }
  })

  it('of countDocuments is told the same way', async () => {
    const pipeline = [{ $match: { state: 'done' } }, { $group: { _id: 1, n: { $sum: 1 } } }]
    const { plan, stats } = await explained({ aggregate: 'jobs', pipeline, cursor: {} })
    expect(plan.stage).toBe('COUNT')
    expect(stats).toMatchObject({ nReturned: 5994, totalKeysExamined: 5994, totalDocsExamined: 0 })
  })

  it('obeys skip and limit', async () => {
    const jobs = store.db.collection('jobs')
    expect(await jobs.countDocuments({ state: 'done' }, { skip: 5990 })).toBe(4)
    expect(await jobs.countDocuments({ state: 'done' }, { limit: 7 })).toBe(7)
    expect(await jobs.countDocuments({ state: 'stuck' }, { skip: 10 })).toBe(0)
  })
})

it('explain shows the bounds of ranges, points, prefixes and what is open', async () => {
  const bounds = async (filter: Document, hint: string) =>
    leaves((await find(filter, { hint })).plan)[0]?.indexBounds
  expect(await bounds({ at: { $gt: 5, $lte: 9 } }, 'at_1')).toEqual({ at: ['(5, 9]'] })
  expect(await bounds({ at: { $lt: 5 } }, 'at_1')).toEqual({ at: ['(NaN, 5)'] })
  expect(await bounds({ team: { $in: [0, 1] } }, 'team_1_email_1')).toEqual({
    team: ['[0, 0]', '[1, 1]'],
    email: ['[MinKey, MaxKey]'],
  })
  expect(await bounds({ owner: { $gte: 'm' } }, 'owner_1')).toEqual({ owner: ['["m", {})'] })
  expect(await bounds({ owner: /^ow/ }, 'owner_1')).toEqual({ owner: ['["ow", "ow"…)', '[//, DBRef())'] })
  expect(await bounds({ owner: null }, 'owner_1')).toEqual({
    owner: ['[undefined, undefined]', '[null, null]'],
  })
})
