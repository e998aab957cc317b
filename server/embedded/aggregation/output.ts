import type { Plain } from '../bson/plain.ts'
import { documentOf, fieldsOf, get, itemsOf, type RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { newObjectId, stringIn } from '../bson/values.ts'
import { selectionOf } from '../commands/selection.ts'
import { CommandError, failedToParse } from '../errors.ts'
import type { Documents } from '../query/select.ts'
import { selectForWrite } from '../query/select-for-write.ts'
import type { Collection } from '../storage/collection.ts'
import { withId } from '../update/apply.ts'
import { closeDocument, ObjectNode, openDocument } from '../update/tree.ts'
import type { PipelineContext } from './context.ts'
import { compilerFor } from './expressions/compile.ts'
import { scopeOf } from './expressions/expression.ts'
import { applyPipeline } from './pipeline-update.ts'
import type { Stage } from './stages/stage.ts'

/** Stores what a pipeline made, by `$out` or `$merge`; nothing is left to be answered. */
export async function* writeOutput(
  context: PipelineContext,
  source: Documents,
  { name, operand }: Stage,
): Documents {
  if (name === '$out') await replaceCollection(context, source, operand)
  else await merge(context, source, operand)
  await context.engine.store.commit()
  yield []
}

function targetOf(
  context: PipelineContext,
  operand: RawValue,
  field: string,
): { database: string; name: string } {
  if (operand.type === T.string) return { database: context.database, name: stringIn(operand) }
  const name = get(operand, field)
  const database = get(operand, 'db')
  if (name?.type !== T.string) throw failedToParse(`the target of a pipeline needs '${field}'`)
  return { database: database ? stringIn(database) : context.database, name: stringIn(name) }
}

/** Puts the documents in place of whatever the collection held; its indexes stay. */
async function replaceCollection(
  context: PipelineContext,
  source: Documents,
  operand: RawValue,
): Promise<void> {
  const { catalog, store } = context.engine
  const { database, name } = targetOf(context, operand, 'coll')
  const documents: Buffer[] = []
  for await (const batch of source) documents.push(...batch)
  const before = catalog.get(database, name)
  const specifications = before?.indexes.map((index) => index.specification) ?? []
  if (before) catalog.drop(before)
  const collection = catalog.create(database, name, before?.options ?? Buffer.from([5, 0, 0, 0, 0]))
  for (const specification of specifications) {
    catalog.addIndex(collection, catalog.newIndex(documentOf(specification)))
  }
  for (const bytes of documents) collection.insert(withId(openDocument(bytes)))
  await store.commit()
  await catalog.clearDropped()
}

const MERGE_FIELDS = new Set(['into', 'on', 'let', 'whenMatched', 'whenNotMatched'])

async function merge(context: PipelineContext, source: Documents, operand: RawValue): Promise<void> {
  const spec = operand.type === T.string ? undefined : operand
  if (spec) {
    for (const { name } of fieldsOf(spec)) {
      if (!MERGE_FIELDS.has(name)) throw failedToParse(`BSON field '$merge.${name}' is an unknown field.`)
    }
  }
  const into = spec ? get(spec, 'into') : operand
  if (!into) throw failedToParse("BSON field '$merge.into' is missing but a required field")
  const { database, name } = targetOf(context, into, 'coll')
  const collection = context.engine.catalog.ensure(database, name)
  const on = onFields(spec && get(spec, 'on'))
  requireUnique(collection, on)
  const whenMatched = spec && get(spec, 'whenMatched')
  const whenNotMatched = spec && get(spec, 'whenNotMatched')
  const variables = mergeVariables(spec && get(spec, 'let'), context)
  for await (const batch of source) {
    for (const given of batch) {
      const bytes = withId(openDocument(given))
      await mergeOne(context, collection, bytes, on, whenMatched, whenNotMatched, variables(bytes))
    }
  }
}

/** What a pipeline of `whenMatched` may use: the new document, or what `let` makes of it. */
function mergeVariables(
  bound: RawValue | undefined,
  { variables }: PipelineContext,
): (bytes: Buffer) => Plain {
  if (!bound) return (bytes) => ({ ...variables, new: documentOf(bytes) })
  const compiler = compilerFor(variables)
  const compiled = fieldsOf(bound).map(({ name, value }) => ({ name, value: compiler.compile(value) }))
  return (bytes) => {
    const scope = scopeOf(documentOf(bytes))
    return { ...variables, ...Object.fromEntries(compiled.map(({ name, value }) => [name, value(scope)])) }
  }
}

function onFields(on: RawValue | undefined): string[] {
  if (!on) return ['_id']
  return on.type === T.array ? itemsOf(on).map(stringIn) : [stringIn(on)]
}

function requireUnique(collection: Collection, on: readonly string[]): void {
  if (on.length === 1 && on[0] === '_id') return
  const wanted = [...on].sort().join()
  const found = collection.indexes.some(
    (index) =>
      index.unique &&
      !index.partial &&
      index.fields
        .map((field) => field.name)
        .sort()
        .join() === wanted,
  )
  if (!found) throw new CommandError(51183, 'Cannot find index to verify that join fields will be unique')
}

async function mergeOne(
  context: PipelineContext,
  collection: Collection,
  bytes: Buffer,
  on: readonly string[],
  whenMatched: RawValue | undefined,
  whenNotMatched: RawValue | undefined,
  variables: Plain,
): Promise<void> {
  const node = new ObjectNode()
  for (const field of on) {
    const value = get(documentOf(bytes), field)
    if (!value) throw new CommandError(51132, `$merge write error: 'on' field '${field}' is missing`)
    node.fields.set(field, value)
  }
  const selection = selectionOf({ filter: documentOf(closeDocument(node)) })
  const mode = whenMatched?.type === T.string ? stringIn(whenMatched) : whenMatched ? 'pipeline' : 'merge'
  const otherwise = whenNotMatched ? stringIn(whenNotMatched) : 'insert'
  await selectForWrite(context.engine.store, collection, selection, false, (chosen) => {
    if (chosen) {
      const after = matched(mode, whenMatched, chosen.bytes, bytes, variables)
      if (after && !after.equals(chosen.bytes)) collection.replace(chosen.key, chosen.bytes, after)
    } else if (otherwise === 'insert') collection.insert(bytes)
    else if (otherwise === 'fail')
      throw new CommandError(13113, '$merge could not find a matching document in the target collection')
  })
}

function matched(
  mode: string,
  pipeline: RawValue | undefined,
  before: Buffer,
  given: Buffer,
  variables: Plain,
): Buffer | undefined {
  const root = openDocument(before)
  const id = root.fields.get('_id') ?? newObjectId()
  switch (mode) {
    case 'keepExisting':
      return undefined
    case 'fail':
      throw new CommandError(
        11000,
        '$merge found a matching document in the target collection, and whenMatched is fail',
      )
    case 'replace': {
      const replaced = openDocument(given)
      replaced.fields.set('_id', id)
      return withId(replaced)
    }
    case 'pipeline':
      return applyPipeline(before, pipeline ? itemsOf(pipeline) : [], variables)
    case 'merge':
      for (const [name, slot] of openDocument(given).fields) if (name !== '_id') root.fields.set(name, slot)
      return withId(root)
    default:
      throw failedToParse(`Enumeration value '${mode}' for field '$merge.whenMatched' is not a valid value.`)
  }
}
