import { arrayFrom, documentOf, fieldsOf, get, itemsOf, NULL, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { longValue, stringIn } from '../../bson/values.ts'
import { CommandError, failedToParse } from '../../errors.ts'
import type { Filter } from '../../query/filter.ts'
import { parseFilter } from '../../query/parse-filter.ts'
import { exceeded, Meter } from '../accumulators/accumulator.ts'
import type { Surroundings } from '../context.ts'
import { type Compiler, type Expression, scopeOf, typeOf } from '../expressions/expression.ts'
import { splitPath } from '../expressions/field-path.ts'
import { int64Of, isNumeric } from '../numbers.ts'
import { findJoined, joinKey, localValues } from './join.ts'
import type { Transform } from './stage.ts'
import { withValue } from './unwind.ts'

interface GraphLookup {
  readonly from: string
  readonly startWith: Expression
  readonly connectFrom: readonly string[]
  readonly connectTo: string
  readonly as: readonly string[]
  readonly maxDepth: number
  readonly depthField: readonly string[] | undefined
  readonly restriction: Filter | undefined
}

const KNOWN = [
  'from',
  'startWith',
  'connectFromField',
  'connectToField',
  'as',
  'maxDepth',
  'depthField',
  'restrictSearchWithMatch',
]

function parse(operand: RawValue, compiler: Compiler): GraphLookup {
  if (operand.type !== T.object)
    throw failedToParse(
      `the $graphLookup stage specification must be an object, but found ${typeOf(operand)}`,
    )
  const given = new Map(fieldsOf(operand).map(({ name, value }) => [name, value]))
  for (const name of given.keys()) {
    if (!KNOWN.includes(name)) throw new CommandError(40104, `Unknown argument to $graphLookup: ${name}`)
  }
  const text = (name: string): string => {
    const value = given.get(name)
    if (value?.type !== T.string)
      throw value
        ? new CommandError(40103, `expected string as argument for ${name}, found: ${typeOf(value)}`)
        : new CommandError(40105, `$graphLookup requires '${name}' to be specified`)
    return stringIn(value)
  }
  const from = text('from')
  const start = given.get('startWith')
  if (!start) throw new CommandError(40105, "$graphLookup requires 'startWith' to be specified")
  const maxDepth = given.get('maxDepth')
  const depth = maxDepth && (isNumeric(maxDepth) ? int64Of(maxDepth) : undefined)
  if (maxDepth && !isNumeric(maxDepth))
    throw new CommandError(40100, `maxDepth must be numeric, found type: ${typeOf(maxDepth)}`)
  if (maxDepth && depth === undefined)
    throw new CommandError(40102, 'maxDepth could not be represented as a long long')
  if (depth !== undefined && depth < 0n)
    throw new CommandError(40101, `maxDepth requires a nonnegative argument, found: ${depth}`)
  const restriction = given.get('restrictSearchWithMatch')
  if (restriction && restriction.type !== T.object)
    throw new CommandError(40185, `restrictSearchWithMatch must be an object, found ${typeOf(restriction)}`)
  splitPath(text('connectToField'))
  return {
    from,
    startWith: compiler.compile(start),
    connectFrom: splitPath(text('connectFromField')),
    connectTo: text('connectToField'),
    as: splitPath(text('as')),
    maxDepth: depth === undefined ? Number.POSITIVE_INFINITY : Number(depth),
    depthField: given.has('depthField') ? splitPath(text('depthField')) : undefined,
    restriction: restriction && parseFilter(restriction),
  }
}

/** Compiles `$graphLookup`: breadth first, each depth with one query. */
export function compileGraphLookup(
  operand: RawValue,
  compiler: Compiler,
  { context }: Surroundings,
): Transform {
  const graph = parse(operand, compiler)
  const search = async (bytes: Buffer): Promise<Buffer[]> => {
    const meter = new Meter(exceeded('$graphLookup'))
    const reached = new Map<string, Buffer>()
    const asked = new Set<string>()
    const start = graph.startWith(scopeOf(documentOf(bytes))) ?? NULL
    let frontier = start.type === T.array ? itemsOf(start) : [start]
    for (let depth = 0; depth <= graph.maxDepth && frontier.length > 0; depth++) {
      const fresh = frontier.filter((value) => !asked.has(joinKey(value)))
      for (const value of fresh) asked.add(joinKey(value))
      const next: RawValue[] = []
      for (const found of await findJoined(context, graph.from, graph.connectTo, fresh, graph.restriction)) {
        const key = joinKey(get(documentOf(found), '_id') ?? NULL)
        if (reached.has(key)) continue
        meter.add(found.length + 100)
        reached.set(
          key,
          graph.depthField ? withValue(found, graph.depthField, longValue(BigInt(depth))) : found,
        )
        next.push(...localValues(documentOf(found), graph.connectFrom))
      }
      frontier = next
    }
    return [...reached.values()]
  }
  return async function* (source) {
    for await (const batch of source) {
      const made: Buffer[] = []
      for (const bytes of batch) {
        made.push(withValue(bytes, graph.as, arrayFrom((await search(bytes)).map(documentOf))))
      }
      yield made
    }
  }
}
