import { Int32, Long } from 'mongodb'
import type { Random } from './random.ts'
import { date, number, scalar, TEXTS } from './random-typed-documents.ts'

/* Expressions over the fields of random documents; they mostly fit the types, so that they compute something. */

export type Expression = unknown

const UNITS = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second', 'millisecond']
const ZONES = ['UTC', '+05:30', '-0300', 'Europe/Oslo', 'America/New_York']

type Make = (random: Random, depth: number) => Expression

const numeric: Make = (random, depth) => {
  if (depth <= 0 || random.chance(0.3))
    return random.chance(0.7) ? random.pick(['$n', '$m', '$g', '$o.p']) : number(random)
  const a = () => numeric(random, depth - 1)
  return random.pick<() => Expression>([
    () => ({ $add: random.times(1 + random.below(3), a) }),
    () => ({ $subtract: [a(), a()] }),
    () => ({ $multiply: random.times(1 + random.below(3), a) }),
    () => ({ $divide: [a(), a()] }),
    () => ({ $mod: [a(), a()] }),
    () => ({ [random.pick(['$abs', '$ceil', '$floor'])]: a() }),
    () => ({
      [random.pick(['$round', '$trunc'])]: random.chance(0.5) ? [a()] : [a(), new Int32(random.below(5) - 2)],
    }),
    () => ({ $sqrt: { $abs: a() } }),
    () => ({ $pow: [a(), new Int32(random.below(4))] }),
    () => ({
      [random.pick(['$sum', '$avg', '$min', '$max'])]: random.chance(0.5)
        ? list(random, depth - 1)
        : [a(), a()],
    }),
    () => ({ $size: { $ifNull: [list(random, depth - 1), []] } }),
    () => ({ [random.pick(['$strLenCP', '$strLenBytes'])]: { $ifNull: [text(random, depth - 1), ''] } }),
    () => ({ $indexOfCP: [{ $ifNull: [text(random, depth - 1), 'x'] }, random.pick(['x', 'y', 'l'])] }),
    () => ({ $indexOfArray: [list(random, depth - 1), a()] }),
    () => ({
      [random.pick([
        '$year',
        '$month',
        '$dayOfMonth',
        '$hour',
        '$minute',
        '$second',
        '$millisecond',
        '$dayOfWeek',
        '$dayOfYear',
        '$week',
        '$isoWeek',
        '$isoWeekYear',
        '$isoDayOfWeek',
      ])]: moment(random, depth - 1),
    }),
    () => ({
      $dateDiff: {
        startDate: moment(random, depth - 1),
        endDate: moment(random, depth - 1),
        unit: random.pick(UNITS),
      },
    }),
    () => ({ $cmp: [anything(random, depth - 1), anything(random, depth - 1)] }),
    () => ({ [random.pick(['$toInt', '$toLong', '$toDouble', '$toDecimal'])]: { $trunc: [a()] } }),
    () => ({
      $convert: {
        input: anything(random, depth - 1),
        to: random.pick(['int', 'long', 'double', 'decimal']),
        onError: 'failed',
        onNull: new Int32(-1),
      },
    }),
    () => ({ $cond: [truth(random, depth - 1), a(), a()] }),
    () => ({ $ifNull: [a(), a()] }),
    () => ({ $let: { vars: { v: a() }, in: { $add: ['$$v', '$$v'] } } }),
    () => ({
      $reduce: {
        input: list(random, depth - 1),
        initialValue: new Int32(0),
        in: { $add: ['$$value', { $cond: [{ $isNumber: '$$this' }, '$$this', new Int32(1)] }] },
      },
    }),
    () => ({ $strcasecmp: [text(random, depth - 1), text(random, depth - 1)] }),
    () => ({
      [random.pick(['$exp', '$ln'])]: { $add: [{ $mod: [{ $abs: a() }, new Int32(7)] }, new Int32(1)] },
    }),
  ])()
}

const text: Make = (random, depth) => {
  if (depth <= 0 || random.chance(0.3)) return random.chance(0.8) ? '$s' : random.pick(TEXTS)
  const a = () => text(random, depth - 1)
  return random.pick<() => Expression>([
    () => ({ $concat: [a(), a()] }),
    () => ({ [random.pick(['$toUpper', '$toLower'])]: a() }),
    () => ({ $substrCP: [a(), new Int32(random.below(3)), new Int32(random.below(4))] }),
    () => ({
      [random.pick(['$trim', '$ltrim', '$rtrim'])]: { input: a(), chars: random.pick(['x', 'y ', 'h']) },
    }),
    () => ({
      [random.pick(['$replaceOne', '$replaceAll'])]: {
        input: a(),
        find: random.pick(['x', 'l']),
        replacement: 'z',
      },
    }),
    () => ({ $type: anything(random, depth - 1) }),
    () => ({ $toString: random.pick<Expression>(['$g', '$t', '$_id', { $toInt: '$g' }, true]) }),
    () => ({
      $dateToString: {
        date: moment(random, depth - 1),
        format: random.pick(['%Y-%m-%d', '%H:%M:%S.%L', '%G-W%V-%u', '%j %U %w']),
        timezone: random.pick(ZONES),
      },
    }),
    () => ({ $arrayElemAt: [{ $split: [{ $ifNull: [a(), 'a,b'] }, ','] }, 0] }),
    () => ({ $cond: [truth(random, depth - 1), a(), a()] }),
  ])()
}

const moment: Make = (random, depth) => {
  if (depth <= 0 || random.chance(0.5)) return random.chance(0.8) ? '$t' : date(random)
  const a = () => moment(random, depth - 1)
  return random.pick<() => Expression>([
    () => ({
      [random.pick(['$dateAdd', '$dateSubtract'])]: {
        startDate: a(),
        unit: random.pick(UNITS),
        amount: new Int32(random.below(9)),
      },
    }),
    () => ({ $dateTrunc: { date: a(), unit: random.pick(UNITS), binSize: new Int32(1 + random.below(3)) } }),
    () => ({ $add: [a(), new Int32(random.below(100000))] }),
    () => ({ $toDate: random.pick<Expression>(['$t', Long.fromNumber(1_600_000_000_000)]) }),
    () => ({
      $dateFromParts: {
        year: new Int32(2000 + random.below(30)),
        month: new Int32(1 + random.below(14)),
        day: new Int32(1 + random.below(33)),
      },
    }),
    () => ({
      $dateFromString: {
        dateString: random.pick(['2017-02-08T12:10:40.787Z', '2017-02-08', '2020-12-31T23:59:59+02:00']),
      },
    }),
  ])()
}

const list: Make = (random, depth) => {
  if (depth <= 0 || random.chance(0.3))
    return random.pick<Expression>(['$k', '$k', '$l', [random.pick(['$n', '$m']), new Int32(1)]])
  const a = () => list(random, depth - 1)
  return random.pick<() => Expression>([
    () => ({ $concatArrays: [a(), a()] }),
    () => ({ $slice: [a(), new Int32(random.below(5) - 2)] }),
    () => ({ $slice: [a(), new Int32(random.below(3)), new Int32(1 + random.below(3))] }),
    () => ({ $reverseArray: [a()] }),
    () => ({
      $map: {
        input: a(),
        as: 'e',
        in: random.pick<Expression>([{ $type: '$$e' }, ['$$e', '$n'], { v: '$$e' }, { $eq: ['$$e', '$n'] }]),
      },
    }),
    () => ({ $filter: { input: a(), cond: { $gte: ['$$this', new Int32(random.below(3))] } } }),
    () => ({
      $range: [new Int32(random.below(4)), new Int32(random.below(8)), new Int32(1 + random.below(2))],
    }),
    () => ({
      $sortArray: {
        input: { [random.pick(['$setUnion', '$setIntersection', '$setDifference'])]: [a(), a()] },
        sortBy: 1,
      },
    }),
    () => ({ $zip: { inputs: [a(), a()], useLongestLength: random.chance(0.5) } }),
    () => ({ $sortArray: { input: a(), sortBy: random.pick([1, -1]) } }),
    () => ({
      [random.pick(['$firstN', '$lastN', '$maxN', '$minN'])]: {
        input: { $ifNull: [a(), []] },
        n: new Int32(1 + random.below(3)),
      },
    }),
    () => ({ $objectToArray: '$o' }),
    () => ({ $ifNull: [a(), []] }),
  ])()
}

export const truth: Make = (random, depth) => {
  const a = () => anything(random, depth - 1)
  if (depth <= 0 || random.chance(0.6))
    return { [random.pick(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte'])]: [a(), a()] }
  return random.pick<() => Expression>([
    () => ({ [random.pick(['$and', '$or'])]: random.times(random.below(4), () => truth(random, depth - 1)) }),
    () => ({ $not: [a()] }),
    () => ({ $in: [a(), { $ifNull: [list(random, depth - 1), []] }] }),
    () => ({ $isArray: [a()] }),
    () => ({ $isNumber: a() }),
    () => ({ $setIsSubset: [{ $ifNull: ['$k', []] }, { $ifNull: ['$l', []] }] }),
    () => ({ $anyElementTrue: [{ $ifNull: [list(random, depth - 1), []] }] }),
    () => ({ $allElementsTrue: [{ $ifNull: [list(random, depth - 1), []] }] }),
    () => ({
      $regexMatch: { input: '$s', regex: random.pick(['^x', 'Y', 'l+']), options: random.pick(['', 'i']) },
    }),
    () => ({ $toBool: random.pick(['$n', '$s', '$t', '$_id']) }),
  ])()
}

const record: Make = (random, depth) => {
  if (depth <= 0 || random.chance(0.3)) return '$o'
  return random.pick<() => Expression>([
    () => ({ $mergeObjects: ['$o', { z: anything(random, depth - 1) }] }),
    () => ({ a: anything(random, depth - 1), b: { c: anything(random, depth - 1) } }),
    () => ({
      $arrayToObject: [
        [
          ['p', anything(random, depth - 1)],
          ['q', 1],
        ],
      ],
    }),
    () => ({ $setField: { field: 'p', input: '$o', value: anything(random, depth - 1) } }),
    () => ({ $unsetField: { field: 'p', input: '$o' } }),
    () => ({ $dateToParts: { date: moment(random, depth - 1) } }),
    () => ({ $regexFind: { input: '$s', regex: '(x)?(y)' } }),
  ])()
}

const anything: Make = (random, depth) =>
  random.pick<() => Expression>([
    () => numeric(random, depth),
    () => numeric(random, depth),
    () => text(random, depth),
    () => moment(random, depth),
    () => list(random, depth),
    () => record(random, depth),
    () => (depth > 0 ? truth(random, depth - 1) : '$x'),
    () =>
      random.pick<Expression>([
        '$x',
        '$l',
        '$o.p',
        '$o.q.r',
        '$missing',
        '$l.p',
        '$x.p',
        '$$ROOT.n',
        '$$CURRENT.s',
        { $literal: '$n' },
      ]),
    () => ({ $arrayElemAt: [list(random, depth - 1), new Int32(random.below(4) - 2)] }),
    () => ({ [random.pick(['$first', '$last'])]: [list(random, depth - 1)] }),
    () => ({ $getField: { field: 'p', input: '$o' } }),
    () => ({
      $switch: {
        branches: [
          Object.fromEntries([
            ['case', truth(random, depth - 1)],
            ['then', '$n'],
          ]),
        ],
        default: '$s',
      },
    }),
  ])()

/** Operators of one argument, given anything: what fails has to fail with the same code. */
const STRICT = [
  '$abs',
  '$ceil',
  '$floor',
  '$sqrt',
  '$exp',
  '$ln',
  '$log10',
  '$round',
  '$trunc',
  '$size',
  '$reverseArray',
  '$first',
  '$last',
  '$strLenCP',
  '$strLenBytes',
  '$toUpper',
  '$toLower',
  '$toInt',
  '$toLong',
  '$toDouble',
  '$toDecimal',
  '$toBool',
  '$toString',
  '$toDate',
  '$toObjectId',
  '$year',
  '$month',
  '$objectToArray',
  '$arrayToObject',
  '$mergeObjects',
  '$bsonSize',
  '$binarySize',
  '$allElementsTrue',
  '$anyElementTrue',
  '$isNumber',
  '$type',
  '$not',
  '$sin',
  '$atan',
  '$degreesToRadians',
  '$tsSecond',
]
/** The same with two. */
const STRICT_PAIRS = [
  '$add',
  '$subtract',
  '$multiply',
  '$divide',
  '$mod',
  '$pow',
  '$log',
  '$concat',
  '$concatArrays',
  '$arrayElemAt',
  '$slice',
  '$split',
  '$in',
  '$indexOfArray',
  '$indexOfCP',
  '$setUnion',
  '$setDifference',
  '$setIsSubset',
  '$setEquals',
  '$range',
  '$strcasecmp',
]

/** An expression whose arguments need not fit. */
export const misfit = (random: Random): Expression => {
  const a = () =>
    random.pick<Expression>(['$x', '$x', '$n', '$s', '$t', '$k', '$l', '$o', '$missing', scalar(random)])
  return random.chance(0.5) ? { [random.pick(STRICT)]: [a()] } : { [random.pick(STRICT_PAIRS)]: [a(), a()] }
}

/** An expression of some kind. */
export const expression = (random: Random): Expression => anything(random, 2)
