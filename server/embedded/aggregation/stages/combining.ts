import {
  arrayFrom,
  documentFrom,
  documentOf,
  type Field,
  fieldsOf,
  itemsOf,
  type RawValue,
} from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { stringIn } from '../../bson/values.ts'
import { CommandError, failedToParse } from '../../errors.ts'
import { exceeded, Meter } from '../accumulators/accumulator.ts'
import type { Surroundings } from '../context.ts'
import { typeOf } from '../expressions/expression.ts'
import { gather, inPortions, parseStages, type Transform } from './stage.ts'

/** Compiles `$unionWith`: what comes in, and then another collection's documents. */
export function compileUnionWith(operand: RawValue, surroundings: Surroundings): Transform {
  let collection: string | undefined
  let stages: readonly RawValue[] = []
  if (operand.type === T.string) collection = stringIn(operand)
  else if (operand.type === T.object) {
    for (const { name, value } of fieldsOf(operand)) {
      if (name === 'coll') {
        if (value.type !== T.string)
          throw new CommandError(14, "BSON field '$unionWith.coll' is the wrong type")
        collection = stringIn(value)
      } else if (name === 'pipeline') {
        if (value.type !== T.array)
          throw new CommandError(14, "BSON field '$unionWith.pipeline' is the wrong type")
        stages = itemsOf(value)
      } else throw new CommandError(40415, `BSON field '$unionWith.${name}' is an unknown field.`)
    }
  } else {
    throw failedToParse(
      `the $unionWith stage specification must be an object or string, but found ${typeOf(operand)}`,
    )
  }
  for (const { name } of parseStages(stages)) {
    if (name === '$out' || name === '$merge')
      throw new CommandError(31441, `${name} is not allowed within a $unionWith's sub-pipeline`)
  }
  if (collection === undefined && parseStages(stages)[0]?.name !== '$documents')
    throw failedToParse(
      '$unionWith stage without explicit collection must have a pipeline with $documents as first stage',
    )
  return async function* (source) {
    yield* source
    yield* surroundings.run({ ...surroundings.context, hint: undefined }, collection, stages)
  }
}

const NOT_IN_FACET = new Set([
  '$facet',
  '$out',
  '$merge',
  '$collStats',
  '$indexStats',
  '$documents',
  '$geoNear',
])

/** Compiles `$facet`: several pipelines over the same documents. */
export function compileFacet(operand: RawValue, surroundings: Surroundings): Transform {
  if (operand.type !== T.object || operand.end - operand.start === 5)
    throw new CommandError(
      40169,
      `the $facet specification must be a non-empty object, but found: ${typeOf(operand)}`,
    )
  const facets = fieldsOf(operand).map(({ name, value }) => {
    if (name.includes('.') || name.startsWith('$') || name === '')
      throw new CommandError(
        name.includes('.') ? 16412 : 16410,
        `FieldPath field names may not be like '${name}' in $facet`,
      )
    if (value.type !== T.array)
      throw new CommandError(40170, `arguments to $facet must be arrays, ${name} is type ${typeOf(value)}`)
    const stages = parseStages(itemsOf(value))
    for (const stage of stages) {
      if (NOT_IN_FACET.has(stage.name))
        throw new CommandError(40600, `${stage.name} is not allowed to be used within a $facet stage`)
    }
    return { name, transform: surroundings.through(surroundings.context, stages) }
  })
  return async function* (source) {
    const meter = new Meter(exceeded('$facet'))
    const documents = await gather(source, (bytes) => meter.add(bytes))
    const fields: Field[] = []
    for (const { name, transform } of facets) {
      const made = await gather(transform(inPortions(documents)), (bytes) => meter.add(bytes))
      fields.push({ name, value: arrayFrom(made.map(documentOf)) })
    }
    yield [documentFrom(fields)]
  }
}
