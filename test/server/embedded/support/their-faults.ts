/*
 * Differences between pipelines here and on DocumentDB, the server that stands in for MongoDB where none can be
 * installed: each with what MongoDB's manual, source or own tests say, which is what the embedded store does.
 */

/** What a pipeline gave: its documents as canonical Extended JSON, or how it failed. */
export type Answer =
  | { readonly documents: readonly string[] }
  | { readonly code: number; readonly message: string }

interface TheirFault {
  readonly why: string
  readonly isIt: (pipeline: string, ours: Answer, theirs: Answer) => boolean
}

const codeOf = (answer: Answer): number => ('code' in answer ? answer.code : 0)

/** Documents with the numbers of some types rounded to twelve digits and without their type. */
const rounded = (answer: Answer, types: string): string =>
  'code' in answer
    ? `${answer.code}`
    : answer.documents
        .map((each) =>
          each.replace(new RegExp(`\\{"\\$number(?:${types})":"([^"]*)"\\}`, 'g'), (_, digits: string) =>
            Number(digits).toPrecision(12),
          ),
        )
        .sort()
        .join()

const isNear = (ours: Answer, theirs: Answer, types: string): boolean =>
  'documents' in ours && 'documents' in theirs && rounded(ours, types) === rounded(theirs, types)

export const THEIR_FAULTS: readonly TheirFault[] = [
  {
    why: 'DocumentDB has no such operator or option',
    isIt: (_pipeline, _ours, theirs) =>
      [115, 238].includes(codeOf(theirs)) ||
      ('message' in theirs && /not (yet )?(supported|implemented)/i.test(theirs.message)),
  },
  {
    why: 'a mean with decimals is a decimal, and a sum of doubles becomes a decimal of 34 digits, not 15 (manual: $avg, $sum)',
    isIt: (_pipeline, ours, theirs) => isNear(ours, theirs, 'Decimal|Double'),
  },
  {
    why: 'of equal numbers of different types the first stands in MongoDB; in DocumentDB any of them',
    isIt: (pipeline, ours, theirs) =>
      /"\$(maxN|minN|max|min)"|"_id":"\$x"/.test(pipeline) && isNear(ours, theirs, 'Decimal|Double|Int|Long'),
  },
  {
    why: 'MongoDB makes buckets of round(documents / buckets) each; DocumentDB spreads the rest over the first',
    isIt: (pipeline) => pipeline.includes('$bucketAuto'),
  },
  {
    why: 'an empty local array joins null and missing (MongoDB: jstests/aggregation/sources/lookup, "Empty array in local and null in foreign")',
    isIt: (pipeline) => /"localField":"(k|l\.p|o\.p)"/.test(pipeline),
  },
  {
    why: '$count of nothing is no document (manual: $count)',
    isIt: (pipeline, _ours, theirs) =>
      pipeline.includes('"$count"') &&
      'documents' in theirs &&
      theirs.documents.includes('{"n":{"$numberInt":"0"}}'),
  },
  {
    why: 'what a stage computes can fail though only its documents are counted',
    isIt: (pipeline, ours, theirs) =>
      pipeline.includes('"$count"') && codeOf(ours) > 0 && codeOf(theirs) === 0,
  },
  {
    why: 'a moving average is a double, never an int (manual: $expMovingAvg)',
    isIt: (pipeline, ours, theirs) =>
      pipeline.includes('$expMovingAvg') && isNear(ours, theirs, 'Decimal|Double|Int|Long'),
  },
  {
    why: 'documents that sort alike stay in the order in which they came; in DocumentDB in any',
    isIt: (pipeline) => /"\$unwind".*"\$(setWindowFields|fill|sort)":\{/.test(pipeline),
  },
  {
    why: 'a power that no long can hold is a double (manual: $pow)',
    isIt: (pipeline, ours, theirs) =>
      pipeline.includes('"$pow"') && codeOf(ours) === 0 && codeOf(theirs) === 241,
  },
  {
    why: 'an argument that is null ends a sum before what stands behind it is looked at (MongoDB: ExpressionAdd)',
    isIt: (pipeline, ours, theirs) =>
      /"\$(add|multiply|concat|concatArrays)"/.test(pipeline) && codeOf(ours) === 0 && codeOf(theirs) > 0,
  },
  {
    why: 'a $project of both kinds says which kind came too late: 31252, 31253, 31310 (MongoDB: projection_parser)',
    isIt: (_pipeline, ours, theirs) =>
      [31252, 31253, 31310].includes(codeOf(ours)) && codeOf(theirs) === 31254,
  },
  {
    why: '$setIsSubset fails with 17046 or 17042; 17310 is for constants (MongoDB: ExpressionSetIsSubset)',
    isIt: (_pipeline, ours, theirs) => [17042, 17046].includes(codeOf(ours)) && codeOf(theirs) === 17310,
  },
  {
    why: 'an input of $zip may be computed (manual: $zip)',
    isIt: (_pipeline, _ours, theirs) => codeOf(theirs) === 34468,
  },
  {
    why: 'doubles are written with up to sixteen digits before an exponent is (MongoDB: StringBuilder, "%.16g")',
    isIt: (_pipeline, _ours, theirs) =>
      'documents' in theirs && theirs.documents.some((each) => /"-?\d(\.\d+)?e\+1[0-5]"/.test(each)),
  },
  {
    why: 'the remainder of longs is exact (manual: $mod)',
    isIt: (pipeline) => pipeline.includes('"$mod"'),
  },
  {
    why: 'bins of days and weeks are counted from 2000-01-01 (manual: $dateTrunc)',
    isIt: (pipeline) => /"\$dateTrunc":.*"unit":"(day|week)"/.test(pipeline),
  },
  {
    why: 'an exclusion makes no documents where there are none, and what follows does not see what it took away',
    isIt: (pipeline) => /"\$unset":|"\$project":\{"(k|n|o\.p)":\{"\$numberInt":"0"\}/.test(pipeline),
  },
]

/** Whether the other server's process ended, and took its data with it. */
export const isLost = (theirs: Answer): boolean =>
  codeOf(theirs) === 8 || ('message' in theirs && /ECONN|connection/i.test(theirs.message))

/** Why a difference is the other server's; undefined when it is ours. */
export const theirFault = (pipeline: string, ours: Answer, theirs: Answer): string | undefined =>
  THEIR_FAULTS.find(({ isIt }) => isIt(pipeline, ours, theirs))?.why
