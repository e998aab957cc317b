import { Int32 } from 'mongodb'
import type { Random } from './random.ts'
import { type Expression, expression, misfit, truth } from './random-expressions.ts'

/* Pipelines over random documents of every type. */

type Stage = Record<string, unknown>

function accumulator(random: Random): Stage {
  const input = random.pick<Expression>(['$n', '$m', '$x', '$s', '$t', '$k', { $add: ['$n', '$m'] }])
  return random.pick<() => Stage>([
    () => ({ $sum: random.pick<Expression>(['$n', '$m', 1, input]) }),
    () => ({ $avg: random.pick<Expression>(['$n', '$m', input]) }),
    () => ({ $min: input }),
    () => ({ $max: input }),
    () => ({ $first: input }),
    () => ({ $last: input }),
    () => ({ $push: input }),
    () => ({ $count: {} }),
    () => ({ $stdDevPop: '$g' }),
    () => ({ $mergeObjects: '$o' }),
    () => ({ [random.pick(['$firstN', '$lastN', '$maxN', '$minN'])]: { input, n: new Int32(2) } }),
    () => ({ [random.pick(['$top', '$bottom'])]: { output: input, sortBy: { g: 1, _id: 1 } } }),
    () => ({
      [random.pick(['$topN', '$bottomN'])]: { output: input, sortBy: { g: -1, _id: 1 }, n: new Int32(2) },
    }),
  ])()
}

/** An accumulator whose result does not depend on the order of documents, which the other server does not keep. */
function unordered(random: Random): Stage {
  return random.pick<() => Stage>([
    () => ({ $sum: random.pick<Expression>(['$n', '$m', 1, '$x']) }),
    () => ({ $avg: random.pick<Expression>(['$n', '$m']) }),
    () => ({ [random.pick(['$min', '$max'])]: random.pick(['$s', '$t', '$_id']) }),
    () => ({ $count: {} }),
    () => ({ [random.pick(['$top', '$bottom'])]: { output: '$n', sortBy: { _id: 1 } } }),
  ])()
}

/** One stage; documents that come in are in the order of their `_id`, and `_id` is unique. */
function stage(random: Random): Stage[] {
  return random.pick<() => Stage[]>([
    () => [{ $match: { _id: random.below(12) } }, { $project: { e: misfit(random) } }],
    () => [{ $match: { _id: random.below(12) } }, { $project: { e: misfit(random) } }],
    () => [{ $project: { e: expression(random), ...(random.chance(0.5) ? { n: 1 } : { 'o.p': 1 }) } }],
    () => [{ $project: { e: expression(random), f: expression(random) } }],
    () => [
      {
        $project: random.pick<Stage>([
          { n: 0 },
          { 'o.p': 0, k: 0 },
          { 'l.p': 1, s: 1 },
          { o: { p: 1, z: '$n' } },
          { _id: 0, s: 1, x: 1 },
        ]),
      },
    ],
    () => [
      {
        [random.pick(['$addFields', '$set'])]: {
          e: expression(random),
          ...(random.chance(0.4) ? { 'o.w': expression(random) } : {}),
        },
      },
    ],
    () => [
      {
        $addFields: { 'l.w': random.pick<Expression>([1, '$n', { $add: ['$n', 1] }]), x: expression(random) },
      },
    ],
    () => [{ $unset: random.pick<unknown>(['x', ['o.p', 'l.p'], ['n', 's']]) }, { $sort: { _id: 1 } }],
    () => [{ $match: { $expr: truth(random, 2) } }],
    () => [
      {
        $match: random.pick<Stage>([
          { n: { $gte: 1 } },
          { s: { $in: ['x', 'xy'] } },
          { x: { $exists: true } },
          { k: { $size: 2 } },
        ]),
      },
    ],
    () => [
      {
        $unwind: random.pick<unknown>([
          '$k',
          '$l',
          { path: '$k', includeArrayIndex: 'at' },
          { path: '$x', preserveNullAndEmptyArrays: true },
          { path: '$k', preserveNullAndEmptyArrays: true, includeArrayIndex: 'at' },
        ]),
      },
    ],
    () => [{ $group: { _id: null, a: accumulator(random), b: accumulator(random) } }],
    () => [
      {
        $group: {
          _id: random.pick<Expression>([
            '$g',
            '$s',
            '$x',
            { a: { $ifNull: ['$g', 'none'] }, b: { $ifNull: ['$s', 'none'] } },
            { $type: '$x' },
          ]),
          a: unordered(random),
          b: unordered(random),
        },
      },
    ],
    () => [
      { $sort: { [random.pick(['n', 's', 't', 'g'])]: random.pick([1, -1]), _id: 1 } },
      ...(random.chance(0.5) ? [{ $limit: 1 + random.below(5) }] : [{ $skip: random.below(5) }]),
    ],
    () => [{ $replaceRoot: { newRoot: { $mergeObjects: [{ _id: '$_id', e: expression(random) }, '$o'] } } }],
    () => [{ $sortByCount: random.pick(['$g', '$s']) }],
    () => [{ $count: 'n' }],
    () => [
      {
        $lookup: {
          from: 'OTHER',
          localField: random.pick(['g', 'n', 'k', 'o.p', 'l.p']),
          foreignField: random.pick(['g', 'n', '_id', 'k']),
          as: 'j',
        },
      },
      { $addFields: { j: { $map: { input: '$j', in: '$$this._id' } } } },
    ],
    () => [
      {
        $lookup: {
          from: 'OTHER',
          let: { v: '$n' },
          pipeline: [
            { $match: { $expr: { $eq: ['$g', '$$v'] } } },
            { $sort: { _id: 1 } },
            { $project: { n: 1 } },
          ],
          as: 'j',
        },
      },
    ],
    () => [
      {
        $facet: {
          a: [{ $match: { g: 1 } }, { $project: { n: 1 } }],
          b: [{ $group: { _id: null, n: accumulator(random) } }],
        },
      },
    ],
    () => [
      {
        $unionWith: {
          coll: 'OTHER',
          pipeline: [
            { $match: { g: random.below(3) } },
            { $project: { _id: { $add: ['$_id', 100] }, n: 1, s: 1 } },
          ],
        },
      },
    ],
    () => [
      {
        $bucket: {
          groupBy: '$g',
          boundaries: [0, 1, 2],
          default: 'rest',
          output: { a: unordered(random) },
        },
      },
    ],
    () => [
      { $bucketAuto: { groupBy: '$_id', buckets: 1 + random.below(4), output: { a: unordered(random) } } },
    ],
    () => [{ $setWindowFields: { partitionBy: '$g', sortBy: { _id: 1 }, output: { w: window(random) } } }],
    () => [
      {
        $graphLookup: {
          from: 'OTHER',
          startWith: '$g',
          connectFromField: 'n',
          connectToField: '_id',
          as: 'j',
          maxDepth: random.below(3),
          depthField: 'd',
        },
      },
      {
        $addFields: {
          j: {
            $map: {
              input: { $sortArray: { input: '$j', sortBy: { _id: 1 } } },
              in: ['$$this._id', { $toInt: '$$this.d' }],
            },
          },
        },
      },
    ],
    () => [
      {
        $fill: {
          sortBy: { _id: 1 },
          output: random.pick<Stage>([{ s: { method: 'locf' } }, { s: { value: 'none' } }]),
        },
      },
    ],
    () => [{ $redact: { $cond: [{ $eq: ['$p', 1] }, '$$PRUNE', random.pick(['$$DESCEND', '$$KEEP'])] } }],
  ])()
}

function window(random: Random): Stage {
  const span = random.pick<Stage>([
    { window: { documents: ['unbounded', 'current'] } },
    { window: { documents: [-1, 1] } },
    { window: { documents: ['unbounded', 'unbounded'] } },
    { window: { range: [-1, 2] } },
    {},
  ])
  return random.pick<() => Stage>([
    () => ({
      [random.pick(['$sum', '$avg', '$min', '$max', '$push', '$first', '$last'])]: random.pick(['$n', '$m']),
      ...span,
    }),
    () => ({ [random.pick(['$rank', '$denseRank', '$documentNumber'])]: {} }),
    () => ({ $shift: { output: '$n', by: random.below(5) - 2, default: 'none' } }),
    () => ({ $count: {}, ...span }),
    () => ({ $expMovingAvg: { input: { $toDouble: '$g' }, N: 2 } }),
    () => ({ [random.pick(['$covariancePop', '$covarianceSamp'])]: ['$g', '$_id'], ...span }),
  ])()
}

/** A pipeline of one to three stages; `OTHER` stands for the name of the other collection. */
export function pipeline(random: Random): Stage[] {
  return [{ $sort: { _id: 1 } }, ...random.times(1 + random.below(3), () => stage(random)).flat()]
}
