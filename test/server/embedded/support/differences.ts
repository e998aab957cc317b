import { BSON } from 'mongodb'
import { documentOf } from '../../../../server/embedded/bson/raw.ts'
import { type Answer, linesOf, messageIn, writeErrorsOf } from './answers.ts'
import type { Step } from './random-commands.ts'

/** A difference that is the other server's (Microsoft's DocumentDB), with MongoDB's documented behaviour. */
export interface Difference {
  readonly reason: string
  readonly manual: string
  readonly applies: (step: Step, ours: Answer, theirs: Answer) => boolean
  /** Whether the two hold different documents afterwards; when it is not said, a write's difference means so. */
  readonly diverges?: boolean
}

const MANUAL = 'https://www.mongodb.com/docs/v7.0/reference'

const asked = (step: Step): string => BSON.EJSON.stringify(step.command, { relaxed: false })
const lines = (answer: Answer): string[] =>
  answer.replies.flatMap(linesOf).map((line) => line.replace(/,"ok":1(I|\.0D)/, ''))
const kindOf = (step: Step): string => Object.keys(step.command)[0] ?? ''

/** What was refused: the whole command, or some of its writes. */
function refusals({ code, replies }: Answer): { index: number; code: number; message: string }[] {
  const reply = documentOf(replies[0] as Buffer)
  return code === 0 ? writeErrorsOf(reply) : [{ index: -1, code, message: messageIn(reply) }]
}

/** The same refusal under another number: nothing else differs. */
function refusedUnder(ourCode: number, message: RegExp, theirCode: number) {
  return (_step: Step, ours: Answer, theirs: Answer): boolean => {
    const left = refusals(ours)
    const right = refusals(theirs)
    const differing = left.filter((each, i) => each.code !== right[i]?.code)
    return (
      left.length === right.length &&
      differing.length > 0 &&
      left.every((each, i) => each.index === right[i]?.index) &&
      left.every(
        (each, i) =>
          each.code === right[i]?.code ||
          (each.code === ourCode && right[i]?.code === theirCode && message.test(each.message)),
      ) &&
      countsOf(ours) === countsOf(theirs)
    )
  }
}

/** What a write did, without its refusals. */
function countsOf({ replies }: Answer): string {
  const { n, nModified, upserted } = BSON.deserialize(replies[0] as Buffer) as Record<string, unknown>
  return JSON.stringify([n ?? 0, nModified ?? 0, upserted ?? []])
}

/** A write that only we refuse, or that only they do. */
const onlyWe = (code: number, message: RegExp) => (_step: Step, ours: Answer, theirs: Answer) =>
  refusals(ours).some(
    (each) =>
      each.code === code &&
      message.test(each.message) &&
      !refusals(theirs).some((other) => other.index === each.index && other.code === code),
  )
const onlyThey = (code: number, message: RegExp) => (_step: Step, ours: Answer, theirs: Answer) =>
  refusals(theirs).some(
    (each) =>
      each.code === code &&
      message.test(each.message) &&
      !refusals(ours).some((other) => other.index === each.index && other.code === code),
  )

const occurrences = ({ replies }: Answer, text: string): number =>
  replies.reduce((count, reply) => count + reply.toString('latin1').split(text).length - 1, 0)

/** The parts of a document's text in one order, whichever they came in. */
const sortedFields = (text: string): string =>
  text
    .split(/[{},[\]]/)
    .sort()
    .join()

const withoutEmpty = (text: string): string => {
  const less = text.replace(/"[^"]*":\{\},?/g, '').replace(/,\}/g, '}')
  return less === text ? text : withoutEmpty(less)
}

export const DIFFERENCES: readonly Difference[] = [
  {
    reason: 'an operator that only takes away makes the documents on its path',
    manual: `${MANUAL}/operator/update/pull/`,
    applies: (_step, ours, theirs) =>
      lines(theirs).some((line) => line.includes('{}')) &&
      lines(ours).map(withoutEmpty).join() === lines(theirs).map(withoutEmpty).join(),
    diverges: true,
  },
  {
    reason: '$count of nothing answers a zero; MongoDB answers no document',
    manual: `${MANUAL}/operator/aggregation/count/`,
    applies: (step, ours, theirs) =>
      kindOf(step) === 'aggregate' && lines(ours).length === 0 && lines(theirs).join() === '{"count":0I}',
  },
  {
    reason: 'findAndModify that changed nothing says it found nothing',
    manual: `${MANUAL}/command/findAndModify/#lasterrorobject`,
    applies: (step, ours, theirs) => {
      if (kindOf(step) !== 'findAndModify' || ours.code !== 0 || theirs.code !== 0) return false
      const [left, right] = [ours, theirs].map(({ replies }) => BSON.deserialize(replies[0] as Buffer))
      return (
        left?.lastErrorObject.n === 1 &&
        left.lastErrorObject.updatedExisting === true &&
        right?.lastErrorObject.n === 0 &&
        right.value !== null &&
        BSON.EJSON.stringify(left.value) === BSON.EJSON.stringify(right.value)
      )
    },
    diverges: false,
  },
  {
    reason: '$[] and $[name] on a path that is not there are let through',
    manual: `${MANUAL}/operator/update/positional-all/#upsert`,
    applies: onlyWe(2, /must exist in the document in order to apply array updates/),
  },
  {
    reason: 'an update is looked at only once a document matches, so paths that clash may go unseen',
    manual: `${MANUAL}/operator/update/#behavior`,
    applies: (...given) =>
      onlyWe(40, /would create a conflict at/)(...given) ||
      onlyWe(2, /\$rename must differ/)(...given) ||
      onlyWe(52, /dollar/)(...given),
  },
  {
    reason: 'a rename of a field to itself is called a conflict',
    manual: `${MANUAL}/operator/update/rename/`,
    applies: refusedUnder(2, /source and target field for \$rename must differ/, 40),
    diverges: false,
  },
  {
    reason: 'a rename through an array is called a path that is not viable',
    manual: `${MANUAL}/operator/update/rename/#behavior`,
    applies: refusedUnder(2, /cannot be an array element/, 28),
    diverges: false,
  },
  {
    reason: '$[] on what is no array is called a path that is not viable',
    manual: `${MANUAL}/operator/update/positional-all/`,
    applies: refusedUnder(2, /Cannot apply array updates to non-array element/, 28),
    diverges: false,
  },
  {
    reason: '$pop of what is no array has another code',
    manual: `${MANUAL}/operator/update/pop/`,
    applies: refusedUnder(14, /contains an element of non-array type/, 2),
    diverges: false,
  },
  {
    reason: 'a field name with a dollar at its start has another code',
    manual: 'https://www.mongodb.com/docs/v7.0/core/dot-dollar-considerations/',
    applies: refusedUnder(52, /The dollar \(\$\) prefixed field/, 2),
    diverges: false,
  },
  {
    reason: 'a path through an array by a name has another code',
    manual: `${MANUAL}/operator/update/set/`,
    applies: refusedUnder(28, /Cannot create field/, 9),
    diverges: false,
  },
  {
    reason: 'options that may not be negative have other codes',
    manual: `${MANUAL}/command/find/`,
    applies: (step, ours, theirs) =>
      refusedUnder(51024, /must be >= 0/, 2)(step, ours, theirs) ||
      refusedUnder(51024, /must be >= 0/, 5107200)(step, ours, theirs),
  },
  {
    reason: 'a duplicate key inside findAndModify comes as an error of PostgreSQL',
    manual: `${MANUAL}/command/findAndModify/#upsert-and-unique-index`,
    applies: refusedUnder(11000, /E11000/, 8),
    diverges: false,
  },
  {
    reason: '$expr inside $or is refused beside a positional update',
    manual: `${MANUAL}/operator/query/expr/`,
    applies: onlyThey(2, /\$expr can only be applied to the top-level document/),
  },
  {
    reason: 'a range up to MaxKey or from MinKey does not find what is missing',
    manual: `${MANUAL}/bson-type-comparison-order/`,
    applies: (step) => /"\$(lt|lte|gt|gte)":\{"\$m(in|ax)Key"/.test(asked(step)),
  },
  {
    reason: 'an empty array sorts with null; MongoDB has it before null',
    manual: `${MANUAL}/bson-type-comparison-order/#comparison-of-empty-arrays`,
    applies: (step, ours, theirs) =>
      'sort' in step.command &&
      lines(ours).some((line) => line.includes('[]')) &&
      lines(ours).sort().join() === lines(theirs).sort().join(),
  },
  {
    reason: '$unset and $rename through an array by a name are refused, where MongoDB finds nothing to do',
    manual: `${MANUAL}/operator/update/unset/#behavior`,
    applies: (step, ours, theirs) =>
      asked(step).includes('"$unset"') &&
      onlyThey(28, /Invalid array index path|Failed to create the field/)(step, ours, theirs),
  },
  {
    reason: 'of several faults of one update, another is named',
    manual: `${MANUAL}/operator/update/#behavior`,
    applies: (step, ours, theirs) =>
      (asked(step).match(/"\$(set|inc|mul|min|max|push|addToSet|pop|pull|pullAll|rename|bit|unset)":/g) ?? [])
        .length > 1 &&
      [2, 14, 28, 40].some((a) =>
        [2, 14, 28, 40, 9].some((b) => a !== b && refusedUnder(a, /./, b)(step, ours, theirs)),
      ),
    diverges: false,
  },
  {
    reason: 'a sort direction that is none has no code of its own',
    manual: `${MANUAL}/operator/aggregation/sort/`,
    applies: refusedUnder(15975, /must be 1 \(for ascending\)/, 8),
  },
  {
    reason: 'a negative limit is taken for a single batch, as in the old wire protocol',
    manual: `${MANUAL}/command/find/`,
    applies: (step, ours, theirs) => step.command.limit === -1 && ours.code === 51024 && theirs.code === 0,
  },
  {
    reason: 'an update by $replaceWith writes its _id twice',
    manual: `${MANUAL}/operator/aggregation/replaceWith/`,
    applies: (step, ours, theirs) =>
      asked(step).includes('"$replaceWith"') &&
      (occurrences(theirs, '_id\0') > occurrences(ours, '_id\0') ||
        (step.writes && ours.code === 0 && theirs.code === 0 && countsOf(ours) !== countsOf(theirs))),
  },
  {
    reason: '$ without a matched item is let through where the path is not there',
    manual: `${MANUAL}/operator/update/positional/`,
    applies: onlyWe(2, /positional operator did not find the match/),
  },
  {
    reason: 'arithmetic takes a boolean for a number',
    manual: `${MANUAL}/operator/update/inc/#behavior`,
    applies: onlyWe(14, /non-numeric type bool/),
  },
  {
    reason:
      'fields are changed in the order they are named; MongoDB changes them in the order of their names',
    manual: `${MANUAL}/operator/update/#update-operators-order`,
    applies: (_step, ours, theirs) =>
      ours.code === 0 &&
      theirs.code === 0 &&
      lines(ours).map(sortedFields).sort().join() === lines(theirs).map(sortedFields).sort().join(),
    diverges: true,
  },
  {
    reason: 'distinct by a position does not go into the array that lies there',
    manual: `${MANUAL}/command/distinct/#array-fields`,
    applies: (step) => kindOf(step) === 'distinct' && /\.\d+$/.test(String(step.command.key)),
  },
  {
    reason: 'its database was away for a moment',
    manual: 'https://github.com/documentdb/documentdb/issues',
    applies: (_step, _ours, theirs) =>
      theirs.code === 8 &&
      /recovery mode|not yet accepting|ECONNRESET|terminated unexpectedly|starting up|ECONNREFUSED/.test(
        refusals(theirs)[0]?.message ?? '',
      ),
    diverges: true,
  },
  {
    reason: 'a rename through an empty array by a name is let through',
    manual: `${MANUAL}/operator/update/rename/#behavior`,
    applies: onlyWe(28, /cannot use the part .* to traverse the element \(\{\w+: \[ {2}\]\}\)/),
  },
  {
    reason: 'two arrays beside each other are indexed',
    manual:
      'https://www.mongodb.com/docs/v7.0/core/indexes/index-types/index-multikey/#compound-multikey-indexes',
    applies: onlyWe(171, /cannot index parallel arrays/),
  },
  {
    reason: 'a zero that is a double gets fifteen decimals beside a decimal',
    manual: `${MANUAL}/operator/update/inc/`,
    applies: (_step, ours, theirs) =>
      lines(theirs)
        .join()
        .replace(/(\.\d*[1-9])0{14,}"/g, '$1"') === lines(ours).join() ||
      lines(theirs)
        .join()
        .replace(/0E-1\d"/g, '0"') ===
        lines(ours)
          .join()
          .replace(/0(E-\d+|\.0+)?"/g, '0"'),
    diverges: true,
  },
  {
    reason: 'beside a pattern, $in does not find a number of another type',
    manual: `${MANUAL}/operator/query/in/`,
    applies: (step) => /"\$in":\[\{"\$regularExpression"/.test(asked(step)) && !step.writes,
  },
  {
    reason: 'whether $push changed a document that is as it was is counted otherwise',
    manual: `${MANUAL}/operator/update/push/#modifiers`,
    applies: (step, ours, theirs) =>
      /"\$each":\[\]|"\$slice":/.test(asked(step)) &&
      ours.code === 0 &&
      countsOf(ours) !== countsOf(theirs) &&
      JSON.stringify(refusals(ours).map((each) => [each.index, each.code])) ===
        JSON.stringify(refusals(theirs).map((each) => [each.index, each.code])),
    diverges: true,
  },
  {
    reason: 'of many documents another one is refused first',
    manual: `${MANUAL}/method/db.collection.updateMany/#behaviors`,
    applies: (step, ours, theirs) =>
      asked(step).includes('"multi":true') &&
      refusals(ours).length > 0 &&
      ([2, 14, 28].some((code) => refusedUnder(code, /./, 11000)(step, ours, theirs)) ||
        (refusals(ours)
          .map(({ index, code }) => `${index} ${code}`)
          .join() ===
          refusals(theirs)
            .map(({ index, code }) => `${index} ${code}`)
            .join() &&
          countsOf(ours) !== countsOf(theirs))),
    diverges: true,
  },
  {
    reason: 'by an index, a range in $expr does not find values of a greater type',
    manual: `${MANUAL}/operator/query/expr/#behavior`,
    applies: (step, ours, theirs) =>
      /"\$expr":\{"\$gte?"/.test(asked(step)) &&
      (kindOf(step) !== 'find' || lines(theirs).every((line) => lines(ours).includes(line))),
  },
]

export const differenceOf = (step: Step, ours: Answer, theirs: Answer): Difference | undefined =>
  DIFFERENCES.find((difference) => difference.applies(step, ours, theirs))
