import { BSON, Int32, Long } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failureOf, openTestStore, type TestStore } from './support/embedded.ts'

/* What MongoDB's manual shows of stages; answers are compared as Extended JSON. */

let store: TestStore

beforeAll(async () => {
  store = await openTestStore({ client: { promoteValues: false, promoteLongs: false, bsonRegExp: true } })
})
afterAll(() => store.close())

const int = (value: number) => new Int32(value)
const long = (value: number) => Long.fromNumber(value)
const json = (value: unknown): unknown => JSON.parse(BSON.EJSON.stringify(value, { relaxed: false }))

const over = (documents: object[], pipeline: object[]) =>
  store.db.aggregate([{ $documents: documents }, ...pipeline]).toArray()

/** The value of an expression. */
async function evaluated(expression: unknown): Promise<unknown> {
  const [result] = await over([{}], [{ $project: { value: expression } }])
  return result?.value
}

/** The code a call fails with. */
const codeOf = async (call: Promise<unknown>): Promise<number> => Number((await failureOf(call)).code)

describe('stages', () => {
  const plain = (documents: unknown): unknown =>
    JSON.parse(BSON.EJSON.stringify(documents, { relaxed: true }))

  it('$bucket and $bucketAuto', async () => {
    const artists = [1852, 1860, 1847, 1840, 1863].map((year, i) => ({ _id: i, year }))
    expect(
      plain(
        await over(artists, [
          {
            $bucket: {
              groupBy: '$year',
              boundaries: [1840, 1850, 1860],
              default: 'Other',
              output: { n: { $sum: 1 } },
            },
          },
        ]),
      ),
    ).toEqual([
      { _id: 1840, n: 2 },
      { _id: 1850, n: 1 },
      { _id: 'Other', n: 2 },
    ])
    expect(plain(await over(artists, [{ $bucketAuto: { groupBy: '$year', buckets: 2 } }]))).toEqual([
      { _id: { min: 1840, max: 1860 }, count: 3 },
      { _id: { min: 1860, max: 1863 }, count: 2 },
    ])
    expect(
      plain(
        await over(
          [{ a: 9 }, { a: 12 }, { a: 30 }],
          [{ $bucketAuto: { groupBy: '$a', buckets: 2, granularity: '1-2-5' } }],
        ),
      ),
    ).toEqual([
      { _id: { min: 5, max: 20 }, count: 2 },
      { _id: { min: 20, max: 50 }, count: 1 },
    ])
  })

  it('$setWindowFields', async () => {
    const sales = [
      { _id: 1, state: 'CA', at: 1, quantity: 162 },
      { _id: 2, state: 'CA', at: 2, quantity: 120 },
      { _id: 3, state: 'WA', at: 1, quantity: 134 },
      { _id: 4, state: 'WA', at: 2, quantity: 140 },
      { _id: 5, state: 'CA', at: 4, quantity: 145 },
    ]
    const windows = await over(sales, [
      {
        $setWindowFields: {
          partitionBy: '$state',
          sortBy: { at: 1 },
          output: {
            sum: { $sum: '$quantity', window: { documents: ['unbounded', 'current'] } },
            near: { $sum: '$quantity', window: { range: [-1, 1] } },
            rank: { $rank: {} },
            before: { $shift: { output: '$quantity', by: -1, default: 'none' } },
            slope: { $derivative: { input: '$quantity' }, window: { documents: [-1, 0] } },
          },
        },
      },
      { $project: { sum: 1, near: 1, rank: 1, before: 1, slope: 1 } },
    ])
    expect(plain(windows)).toEqual([
      { _id: 1, sum: 162, near: 282, rank: 1, before: 'none', slope: null },
      { _id: 2, sum: 282, near: 282, rank: 2, before: 162, slope: -42 },
      { _id: 5, sum: 427, near: 145, rank: 3, before: 120, slope: 12.5 },
      { _id: 3, sum: 134, near: 274, rank: 1, before: 'none', slope: null },
      { _id: 4, sum: 274, near: 274, rank: 2, before: 134, slope: 6 },
    ])
  })

  it('$densify and $fill', async () => {
    const readings = [
      { at: new Date('2021-05-18T00:00:00Z'), t: 12 },
      { at: new Date('2021-05-18T08:00:00Z'), t: 20 },
    ]
    const dense = await over(readings, [
      { $densify: { field: 'at', range: { step: 4, unit: 'hour', bounds: 'full' } } },
      { $fill: { sortBy: { at: 1 }, output: { t: { method: 'linear' }, by: { value: 'machine' } } } },
      { $project: { hour: { $hour: '$at' }, t: 1, by: 1 } },
    ])
    expect(plain(dense)).toEqual([
      { t: 12, by: 'machine', hour: 0 },
      { t: 16, by: 'machine', hour: 4 },
      { t: 20, by: 'machine', hour: 8 },
    ])
    const filled = await over(
      [{ _id: 1, s: 'a' }, { _id: 2 }, { _id: 3, s: null }],
      [{ $fill: { sortBy: { _id: 1 }, output: { s: { method: 'locf' } } } }],
    )
    expect(filled.map((each) => each.s)).toEqual(['a', 'a', 'a'])
  })

  it('$graphLookup walks by depth, and ends in circles', async () => {
    const people = store.db.collection<{ _id: string; knows: string[] }>('people')
    await people.insertMany([
      { _id: 'Ada', knows: ['Bo'] },
      { _id: 'Bo', knows: ['Kim', 'Ada'] },
      { _id: 'Kim', knows: ['Noor'] },
      { _id: 'Noor', knows: [] },
    ])
    const [found] = await people
      .aggregate([
        { $match: { _id: 'Ada' } },
        {
          $graphLookup: {
            from: 'people',
            startWith: '$knows',
            connectFromField: 'knows',
            connectToField: '_id',
            as: 'reached',
            maxDepth: 1,
            depthField: 'depth',
          },
        },
      ])
      .toArray()
    expect(
      json(
        ((found?.reached ?? []) as { _id: string; depth: Long }[])
          .map(({ _id, depth }) => [_id, depth])
          .sort(),
      ),
    ).toEqual(
      json(
        [
          ['Bo', long(0)],
          ['Kim', long(1)],
          ['Ada', long(1)],
        ].sort(),
      ),
    )
  })

  it('$lookup joins a batch with one query, and uses an index for what `let` compares', async () => {
    const items = store.db.collection<{ _id: Int32; owner: Int32; n: Int32 }>('items')
    await items.insertMany(
      Array.from({ length: 500 }, (_, i) => ({ _id: int(i), owner: int(i % 50), n: int(i) })),
    )
    await items.createIndex({ owner: 1 })
    const owners = Array.from({ length: 60 }, (_, i) => ({ _id: i, tags: [i, i + 1], none: null }))
    const joined = await over(owners, [
      { $lookup: { from: 'items', localField: 'tags', foreignField: 'owner', as: 'found' } },
      {
        $lookup: {
          from: 'items',
          localField: '_id',
          foreignField: 'owner',
          let: { least: 100 },
          pipeline: [{ $match: { $expr: { $gte: ['$n', '$$least'] } } }, { $count: 'n' }],
          as: 'many',
        },
      },
      {
        $lookup: {
          from: 'items',
          let: { id: '$_id' },
          pipeline: [{ $match: { $expr: { $eq: ['$owner', '$$id'] } } }, { $project: { n: 1 } }],
          as: 'own',
        },
      },
      { $project: { found: { $size: '$found' }, many: { $first: '$many.n' }, own: { $size: '$own' } } },
    ])
    expect(plain(joined[0])).toEqual({ _id: 0, found: 20, many: 8, own: 10 })
    expect(plain(joined[49])).toEqual({ _id: 49, found: 10, many: 8, own: 10 })
    expect(plain(joined[55])).toEqual({ _id: 55, found: 0, own: 0 })
    const explained = await items.aggregate([{ $match: { $expr: { $eq: ['$owner', 3] } } }]).explain()
    expect(JSON.stringify(explained)).toContain('owner_1')
  })

  it('$redact, $sortByCount, $sample, $unionWith, $documents', async () => {
    const secret = [{ _id: 1, level: 1, a: { level: 5, x: 1 }, b: [{ level: 1, y: 1 }, { level: 9 }] }]
    expect(
      plain(await over(secret, [{ $redact: { $cond: [{ $lte: ['$level', 3] }, '$$DESCEND', '$$PRUNE'] } }])),
    ).toEqual([{ _id: 1, level: 1, b: [{ level: 1, y: 1 }] }])
    expect(plain(await over([{ a: 'x' }, { a: 'y' }, { a: 'x' }], [{ $sortByCount: '$a' }]))).toEqual([
      { _id: 'x', count: 2 },
      { _id: 'y', count: 1 },
    ])
    const sampled = await over(
      Array.from({ length: 20 }, (_, i) => ({ i })),
      [{ $sample: { size: 5 } }],
    )
    expect(new Set(sampled.map(({ i }) => String(i))).size).toBe(5)
    expect(
      plain(await over([{ a: 1 }], [{ $unionWith: { pipeline: [{ $documents: [{ a: 2 }] }] } }])),
    ).toEqual([{ a: 1 }, { a: 2 }])
  })

  it('$merge by another field, with a pipeline and its variables, and $collStats and $indexStats', async () => {
    const totals = store.db.collection('totals')
    await totals.createIndex({ name: 1 }, { unique: true })
    await totals.insertOne({ name: 'a', n: int(1) })
    await store.db
      .aggregate([
        {
          $documents: [
            { name: 'a', n: int(5) },
            { name: 'b', n: int(2) },
          ],
        },
        {
          $merge: {
            into: 'totals',
            on: 'name',
            let: { more: '$n' },
            whenMatched: [{ $set: { n: { $add: ['$n', '$$more'] } } }],
          },
        },
      ])
      .toArray()
    expect(
      json(
        await totals
          .find({}, { projection: { _id: 0 } })
          .sort({ name: 1 })
          .toArray(),
      ),
    ).toEqual(
      json([
        { name: 'a', n: int(6) },
        { name: 'b', n: int(2) },
      ]),
    )
    const [statistics] = await totals.aggregate([{ $collStats: { count: {}, storageStats: {} } }]).toArray()
    expect(plain(statistics)).toMatchObject({ count: 2, storageStats: { count: 2, nindexes: 2 } })
    const indexes = await totals.aggregate([{ $indexStats: {} }]).toArray()
    expect(indexes.map(({ name }) => name)).toEqual(['_id_', 'name_1'])
  })

  it('dates in zones', async () => {
    const date = new Date('2024-03-10T06:30:00Z')
    const cases: [unknown, unknown][] = [
      [{ $hour: { date, timezone: 'America/New_York' } }, 1],
      [
        { $dateToString: { date, format: '%Y-%m-%d %H:%M %z', timezone: 'Europe/Oslo' } },
        '2024-03-10 07:30 +0100',
      ],
      [
        {
          $dateToString: {
            date: { $dateAdd: { startDate: date, unit: 'day', amount: 1, timezone: 'America/New_York' } },
          },
        },
        '2024-03-11T05:30:00.000Z',
      ],
      [
        { $dateToString: { date: { $dateTrunc: { date, unit: 'month', timezone: '+05:30' } } } },
        '2024-02-29T18:30:00.000Z',
      ],
      [
        {
          $dateToString: {
            date: { $dateAdd: { startDate: new Date('2024-01-31T00:00:00Z'), unit: 'month', amount: 1 } },
          },
        },
        '2024-02-29T00:00:00.000Z',
      ],
      [
        { $dateFromParts: { isoWeekYear: 2024, isoWeek: 1, isoDayOfWeek: 1 } },
        { $date: '2024-01-01T00:00:00Z' },
      ],
      [
        { $dateFromString: { dateString: '15-01-2020', format: '%d-%m-%Y' } },
        { $date: '2020-01-15T00:00:00Z' },
      ],
      [{ $dateFromString: { dateString: 'no date', onError: 'wrong' } }, 'wrong'],
    ]
    for (const [expression, expected] of cases) expect(plain(await evaluated(expression))).toEqual(expected)
  })

  it('a pipeline streams: what a limit does not ask for is not computed', async () => {
    const many = store.db.collection<{ _id: Int32 }>('streamed')
    await many.insertMany(Array.from({ length: 5000 }, (_, i) => ({ _id: int(i) })))
    const found = await many
      .aggregate([{ $project: { n: { $divide: [1, { $subtract: [4999, '$_id'] }] } } }, { $limit: 3 }])
      .toArray()
    expect(found).toHaveLength(3)
    expect(
      await codeOf(
        many.aggregate([{ $project: { n: { $divide: [1, { $subtract: [4999, '$_id'] }] } } }]).toArray(),
      ),
    ).toBe(2)
  })

  it('memory has a limit', async () => {
    const big = store.db.collection<{ _id: Int32; pad: string }>('big')
    const pad = 'x'.repeat(1024 * 1024)
    for (let i = 0; i < 11; i++) {
      await big.insertMany(Array.from({ length: 10 }, (_, j) => ({ _id: int(i * 10 + j), pad })))
    }
    const group = [{ $group: { _id: null, all: { $push: '$pad' } } }]
    expect(await codeOf(big.aggregate(group).toArray())).toBe(292)
    expect(await codeOf(big.aggregate([{ $set: { a: 1 } }, { $sort: { pad: 1 } }]).toArray())).toBe(292)
    expect(
      await big
        .aggregate([
          { $set: { a: 1 } },
          { $sort: { pad: 1, _id: 1 } },
          { $limit: 1 },
          { $project: { _id: 1 } },
        ])
        .toArray(),
    ).toHaveLength(1)
  })
})
