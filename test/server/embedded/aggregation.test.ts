import {
  Binary,
  BSON,
  BSONRegExp,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failureOf, openTestStore, type TestStore } from './support/embedded.ts'

/* Cases from MongoDB's manual: result types and errors. Answers are compared as canonical Extended JSON. */

let store: TestStore

beforeAll(async () => {
  store = await openTestStore({ client: { promoteValues: false, promoteLongs: false, bsonRegExp: true } })
})
afterAll(() => store.close())

const int = (value: number) => new Int32(value)
const long = (value: number | string) => Long.fromString(String(value))
const double = (value: number) => new Double(value)
const decimal = (text: string) => Decimal128.fromString(text)
const json = (value: unknown): unknown => JSON.parse(BSON.EJSON.stringify(value, { relaxed: false }))

const over = (documents: object[], pipeline: object[]) =>
  store.db.aggregate([{ $documents: documents }, ...pipeline]).toArray()

/** The value of an expression over one document. */
async function evaluated(expression: unknown, document: object = {}): Promise<unknown> {
  const [result] = await over([document], [{ $project: { value: expression } }])
  return result?.value
}

/** The code a call fails with. */
const codeOf = async (call: Promise<unknown>): Promise<number> => Number((await failureOf(call)).code)

describe('types', () => {
  const every = {
    int: int(2),
    long: long(5),
    double: double(2),
    negativeZero: double(-0),
    nan: double(Number.NaN),
    infinity: double(Number.POSITIVE_INFINITY),
    decimal: decimal('1.50'),
    date: new Date(1),
    binary: new Binary(Buffer.from([1, 2]), 4),
    objectId: new ObjectId('650000000000000000000001'),
    regex: new BSONRegExp('^a', 'i'),
    timestamp: new Timestamp({ t: 1, i: 2 }),
    minKey: new MinKey(),
    maxKey: new MaxKey(),
    nested: { list: [long(1), [double(3)], null] },
  }

  it('stay to the bit through every stage that only moves values', async () => {
    const stages: object[] = [
      { $match: { int: 2 } },
      { $addFields: { copy: '$$ROOT' } },
      { $replaceRoot: { newRoot: '$copy' } },
      { $project: Object.fromEntries(Object.keys(every).map((name) => [name, `$${name}`])) },
      { $group: { _id: '$double', all: { $push: '$$ROOT' } } },
      { $unwind: '$all' },
      { $replaceWith: { $mergeObjects: ['$all', {}] } },
      { $facet: { only: [{ $sort: { long: 1 } }] } },
      { $unwind: '$only' },
      { $replaceWith: '$only' },
      { $setWindowFields: { sortBy: { int: 1 }, output: { last: { $last: '$negativeZero' } } } },
      { $unset: 'last' },
    ]
    const documents = store.db.collection('every')
    await documents.insertOne({ ...every })
    const [result] = await documents.aggregate([...stages, { $unset: '_id' }]).toArray()
    expect(json(result)).toEqual(json(every))
  })

  const arithmetic: [string, unknown, unknown][] = [
    ['int + int', { $add: [int(1), int(2)] }, int(3)],
    ['int + int beyond an int', { $add: [int(2147483647), int(1)] }, long('2147483648')],
    ['int + long', { $add: [int(1), long(2)] }, long(3)],
    ['int + double', { $add: [int(1), double(2)] }, double(3)],
    ['double + decimal', { $add: [double(0.5), decimal('1')] }, decimal('1.500000000000000')],
    ['int + decimal', { $add: [int(1), decimal('2.50')] }, decimal('3.50')],
    ['date + int', { $add: [new Date(5), int(10)] }, new Date(15)],
    ['date - date', { $subtract: [new Date(15), new Date(5)] }, long(10)],
    ['date - int', { $subtract: [new Date(15), int(5)] }, new Date(10)],
    ['int * int beyond an int', { $multiply: [int(100000), int(100000)] }, long('10000000000')],
    [
      'long * long beyond a long',
      { $multiply: [long('9223372036854775807'), long(2)] },
      double(18446744073709552000),
    ],
    ['int / int', { $divide: [int(6), int(3)] }, double(2)],
    ['decimal / int', { $divide: [decimal('1'), int(3)] }, decimal('0.3333333333333333333333333333333333')],
    ['int % int', { $mod: [int(-7), int(3)] }, int(-1)],
    ['int % long', { $mod: [int(7), long(3)] }, long(1)],
    ['int % double', { $mod: [int(7), double(2.5)] }, double(2)],
    ['int ^ int', { $pow: [int(5), int(2)] }, int(25)],
    ['int ^ int beyond an int', { $pow: [int(2), int(40)] }, long('1099511627776')],
    ['int ^ -int', { $pow: [int(2), int(-1)] }, double(0.5)],
    ['|least int|', { $abs: int(-2147483648) }, long('2147483648')],
    ['sqrt of an int', { $sqrt: int(4) }, double(2)],
    ['sqrt of a decimal', { $sqrt: decimal('2') }, decimal('1.414213562373095048801688724209698')],
    ['exp of a decimal', { $exp: decimal('1') }, decimal('2.718281828459045235360287471352662')],
    ['ln of a decimal', { $ln: decimal('10') }, decimal('2.302585092994045684017991454684364')],
    ['floor of an int', { $floor: int(3) }, int(3)],
    ['ceil of a double', { $ceil: double(-0.5) }, double(-0)],
    ['ceil of a decimal', { $ceil: decimal('1.2') }, decimal('2')],
    ['round to even', { $round: double(2.5) }, double(2)],
    ['round of a long', { $round: [long(1250), int(-2)] }, long(1200)],
    ['round of what a double really is', { $round: [double(2.675), int(2)] }, double(2.67)],
    ['trunc with a place', { $trunc: [decimal('3.149'), int(1)] }, decimal('3.1')],
    ['no numbers', { $add: [] }, int(0)],
    ['null', { $add: [int(1), null] }, null],
    ['size', { $size: [[1, 2]] }, int(2)],
    ['length', { $strLenCP: 'héllo' }, int(5)],
    ['bytes', { $strLenBytes: 'héllo' }, int(6)],
    ['index', { $indexOfCP: ['cafétéria', 'é'] }, int(3)],
    ['year', { $year: new Date(0) }, int(1970)],
    ['ISO year', { $isoWeekYear: new Date(0) }, long(1970)],
    [
      'dateDiff',
      { $dateDiff: { startDate: new Date(0), endDate: new Date(86400000), unit: 'day' } },
      long(1),
    ],
    ['$toLong of a double', { $toLong: double(5.5) }, long(5)],
    ['$toDecimal of a double', { $toDecimal: double(2.5) }, decimal('2.50000000000000')],
    ['$toDouble of a decimal', { $toDouble: decimal('1.25') }, double(1.25)],
    ['$toString of a double', { $toString: double(1e21) }, '1e+21'],
    ['$toDate of a long', { $toDate: long(1) }, new Date(1)],
    ['$avg of ints', { $avg: [int(1), int(2)] }, double(1.5)],
    ['$avg of decimals', { $avg: [decimal('1'), int(2)] }, decimal('1.5')],
    ['$sum of ints beyond an int', { $sum: [int(2147483647), int(1)] }, long('2147483648')],
    ['$sum of doubles loses nothing', { $sum: [double(0.1), double(0.2), double(0.3)] }, double(0.6)],
    ['$bitAnd', { $bitAnd: [int(6), long(3)] }, long(2)],
    ['the greatest of several types', { $max: [int(1), 'a', null] }, 'a'],
  ]
  it.each(arithmetic)('%s', async (_name, expression, expected) => {
    expect(json(await evaluated(expression))).toEqual(json(expected))
  })

  it('tell a missing value from null', async () => {
    const document = { a: null, list: [{ b: 1 }, {}, { b: null }] }
    expect(await evaluated({ $type: '$none' }, document)).toBe('missing')
    expect(await evaluated({ $eq: ['$a', '$none'] }, document)).toBe(false)
    expect(await evaluated({ $gt: ['$a', '$none'] }, document)).toBe(true)
    expect(json(await evaluated(['$a', '$none'], document))).toEqual([null, null])
    expect(json(await evaluated({ x: '$a', y: '$none' }, document))).toEqual({ x: null })
    expect(json(await evaluated('$list.b', document))).toEqual([{ $numberInt: '1' }, null])
    expect(await evaluated('$$REMOVE', document)).toBeUndefined()
  })
})

describe('errors have MongoDB codes', () => {
  const failing: [string, unknown, number][] = [
    ['too few arguments', { $subtract: [1] }, 16020],
    ['too many of a range', { $slice: [[1], 1, 1, 1] }, 28667],
    ['an unknown operator', { $nothing: 1 }, 168],
    ['two operators', { $add: [1], $subtract: [1] }, 15983],
    ['an undefined variable', '$$nobody', 17276],
    ['a path without a name', '$a..b', 15998],
    ['a path that ends with a dot', '$a.', 40353],
    ['adding text', { $add: [1, 'a'] }, 14],
    ['two dates', { $add: [new Date(), new Date()] }, 16612],
    ['dividing by zero', { $divide: [1, 0] }, 2],
    ['dividing text', { $divide: ['a', 1] }, 14],
    ['the remainder of zero', { $mod: [1, 0] }, 16610],
    ['the root of less than zero', { $sqrt: -1 }, 28714],
    ['the size of what is no array', { $size: 1 }, 17124],
    ['an item of what is no array', { $arrayElemAt: [1, 0] }, 28689],
    ['joining texts with a number', { $concat: ['a', 1] }, 16702],
    ['joining arrays with a number', { $concatArrays: [[1], 1] }, 28664],
    ['looking in what is no array', { $in: [1, 1] }, 40081],
    ['a conversion that fails', { $toInt: 'a' }, 241],
    ['a conversion that is unknown', { $toInt: new Date() }, 241],
    ['a date of text', { $year: 'a' }, 16006],
    ['a time zone that is none', { $hour: { date: new Date(), timezone: 'Nowhere/Land' } }, 40485],
    ['no branch', { $switch: { branches: [] } }, 40068],
    [
      'no matching branch',
      {
        $switch: {
          branches: [
            Object.fromEntries([
              ['case', false],
              ['then', 1],
            ]),
          ],
        },
      },
      40066,
    ],
    ['a wrong object', { $arrayToObject: [[[1, 2]]] }, 40395],
    ['a script', { $function: { body: 'x', args: [], lang: 'js' } }, 238],
  ]
  it.each(failing)('%s', async (_name, expression, code) => {
    expect(await codeOf(evaluated(expression))).toBe(code)
  })

  const stages: [string, object[], number][] = [
    ['an unknown stage', [{ $nothing: {} }], 40324],
    ['two stages in one', [{ $match: {}, $limit: 1 }], 40323],
    ['a limit of zero', [{ $limit: 0 }], 15958],
    ['a negative skip', [{ $skip: -1 }], 5107200],
    ['a group without _id', [{ $group: { n: { $sum: 1 } } }], 15955],
    ['a group of what is no accumulator', [{ $group: { _id: 1, n: 1 } }], 40234],
    ['an unknown accumulator', [{ $group: { _id: 1, n: { $nothing: 1 } } }], 15952],
    ['an accumulator of two', [{ $group: { _id: 1, n: { $sum: [1, 2] } } }], 40237],
    ['unwinding what is no path', [{ $unwind: 'a' }], 28818],
    ['a sort without keys', [{ $sort: {} }], 15976],
    ['a projection of both kinds', [{ $project: { a: 1, b: 0 } }], 31254],
    ['an empty projection', [{ $project: {} }], 51272],
    ['colliding paths', [{ $project: { a: 1, 'a.b': 1 } }], 31249],
    ['a root that is no document', [{ $replaceRoot: { newRoot: 1 } }], 40228],
    ['a facet in a facet', [{ $facet: { a: [{ $facet: { b: [] } }] } }], 40600],
    ['an output before the end', [{ $out: 'x' }, { $match: {} }], 40601],
    ['statistics after the beginning', [{ $match: {} }, { $collStats: {} }], 40602],
    ['unsorted bounds', [{ $bucket: { groupBy: '$a', boundaries: [2, 1] } }], 40194],
    ['a redaction that decides nothing', [{ $redact: 1 }], 17053],
    ['places on the earth', [{ $geoNear: {} }], 238],
    ['a count by an empty name', [{ $count: '' }], 40157],
  ]
  it.each(stages)('%s', async (_name, pipeline, code) => {
    const one = store.db.collection('one')
    await one.replaceOne({}, { a: 1 }, { upsert: true })
    expect(await codeOf(one.aggregate(pipeline).toArray())).toBe(code)
  })
})
