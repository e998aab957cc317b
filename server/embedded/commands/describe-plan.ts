import type { Plain } from '../bson/plain.ts'
import { describeInterval, EVERY_VALUE } from '../indexes/describe-interval.ts'
import type { IndexPlan, Plan } from '../indexes/plan.ts'
import { isToldByKeys } from '../query/count.ts'
import type { ScanCount } from '../query/scan.ts'
import type { Selection } from '../query/select.ts'
import { keyPatternOf } from './indexes.ts'

/** What running a plan looked at and found. */
export type Executed = ScanCount & { readonly returned: number }

/** A plan as a tree of MongoDB's stages; with the figures of its execution where they were counted. */
export function describePlan(plan: Plan, selection: Selection, counts: boolean, executed?: Executed): Plain {
  const found = executed ? { nReturned: executed.returned } : {}
  if (counts && isToldByKeys(plan, selection)) {
    const keys = executed ? { keysExamined: executed.keys } : {}
    const scanned =
      plan.kind === 'index' ? { ...describeIndex(plan), stage: 'COUNT_SCAN' } : { stage: 'COUNT_SCAN' }
    return { stage: 'COUNT', ...found, inputStage: { ...scanned, ...keys } }
  }
  const { sort, skip, limit } = selection
  let tree = describeReading(plan, executed)
  if (!plan.sorted && sort.length > 0) {
    const sortPattern = Object.fromEntries(sort.map((field) => [field.name, field.descending ? -1 : 1]))
    tree = { stage: 'SORT', ...found, sortPattern, memLimit: 104857600, inputStage: tree }
  }
  if (skip > 0) tree = { stage: 'SKIP', ...found, skipAmount: skip, inputStage: tree }
  if (limit > 0) tree = { stage: 'LIMIT', ...found, limitAmount: limit, inputStage: tree }
  return counts ? { stage: 'COUNT', ...found, inputStage: tree } : tree
}

function describeReading(plan: Plan, executed: Executed | undefined): Plain {
  const documents = executed ? { docsExamined: executed.documents } : {}
  const keys = executed ? { keysExamined: executed.keys } : {}
  switch (plan.kind) {
    case 'collection':
      return { stage: 'COLLSCAN', direction: plan.reverse ? 'backward' : 'forward', ...documents }
    case 'union':
      return {
        stage: 'FETCH',
        ...documents,
        inputStage: { stage: 'OR', ...keys, inputStages: plan.branches.map(describeIndex) },
      }
    case 'index': {
      if (plan.index.id === 0 && plan.exact && plan.ranges.length === 1)
        return { stage: 'IDHACK', ...documents }
      const reading = { ...describeIndex(plan), ...keys }
      const inputStage = plan.merge ? { stage: 'SORT_MERGE', inputStages: [reading] } : reading
      return { stage: 'FETCH', ...documents, inputStage }
    }
  }
}

const describeIndex = (plan: IndexPlan): Plain => ({
  stage: 'IXSCAN',
  keyPattern: keyPatternOf(plan.index),
  indexName: plan.index.name,
  isMultiKey: plan.index.multikey.size > 0,
  isUnique: plan.index.unique,
  isSparse: plan.index.sparse,
  isPartial: plan.index.partial !== undefined,
  direction: plan.reverse ? 'backward' : 'forward',
  indexBounds: Object.fromEntries(
    plan.index.fields.map(({ name }, i) => [
      name,
      plan.bounds[i]?.intervals.map(describeInterval) ?? [EVERY_VALUE],
    ]),
  ),
  ranges: plan.ranges.length,
})
