import { expressionFilter } from '../aggregation/expressions.ts'
import { bytesOf, documentFrom, documentOf, type Field, fieldsOf, get, type RawValue } from '../bson/raw.ts'
import { T, typeName } from '../bson/types.ts'
import { stringIn, stringValue } from '../bson/values.ts'
import { badValue, type CommandError, DocumentValidationError, typeMismatch } from '../errors.ts'
import { compileFilter, type Matcher } from '../query/matcher.ts'
import { parseFilter } from '../query/parse-filter.ts'
import type { Collection } from '../storage/collection.ts'
import type { Request } from './request.ts'

/** Refuses what a collection's validator does not let in; `before` is what the document was. */
export type Validation = (after: Buffer, before?: Buffer) => void

interface Validator {
  readonly document: RawValue
  readonly matches: Matcher
  /** Documents that were invalid already may stay so. */
  readonly moderate: boolean
}

const LEVELS = ['off', 'strict', 'moderate']
const ACTIONS = ['error', 'warn']

/** The options of a validator, as a collection keeps them; what cannot be one is refused. */
export function validatorOptions(request: Request): Field[] {
  const validator = request.value('validator')
  const kept: Field[] = []
  if (validator) {
    if (validator.type !== T.object) {
      throw typeMismatch(
        `BSON field '${request.command.name}.validator' is the wrong type '${typeName(validator.type)}', expected type 'object'`,
      )
    }
    compileFilter(parseFilter(validator), expressionFilter())
    kept.push({ name: 'validator', value: validator })
  }
  for (const [name, allowed] of Object.entries({ validationLevel: LEVELS, validationAction: ACTIONS })) {
    const value = request.string(name)
    if (value === undefined) continue
    if (!allowed.includes(value)) {
      throw badValue(
        `Enumeration value '${value}' for field '${request.command.name}.${name}' is not a valid value.`,
      )
    }
    kept.push({ name, value: stringValue(value) })
  }
  return kept
}

/** A collection's options with others of the same name in their place. */
export function optionsWith(options: Buffer, changed: readonly Field[]): Buffer {
  const names = new Set(changed.map(({ name }) => name))
  return documentFrom([...fieldsOf(documentOf(options)).filter(({ name }) => !names.has(name)), ...changed])
}

const validators = new WeakMap<Buffer, Validator | null>()

/** What a command's writes to a collection have to pass, if anything. */
export function validation(request: Request, collection: Collection): Validation | undefined {
  const { options } = collection
  let validator = validators.get(options)
  if (validator === undefined) {
    validator = readValidator(options)
    validators.set(options, validator)
  }
  if (!validator || request.boolean('bypassDocumentValidation', false)) return undefined
  const { document, matches, moderate } = validator
  return (after, before) => {
    if (matches(documentOf(after))) return
    if (moderate && before && !matches(documentOf(before))) return
    throw failureOf(after, document)
  }
}

function readValidator(options: Buffer): Validator | null {
  const document = get(documentOf(options), 'validator')
  const text = (name: string): string | undefined => {
    const value = get(documentOf(options), name)
    return value && stringIn(value)
  }
  if (!document || document.end - document.start <= 5) return null
  if (text('validationLevel') === 'off' || text('validationAction') === 'warn') return null
  const kept = documentOf(Buffer.from(bytesOf(document)))
  return {
    document: kept,
    matches: compileFilter(parseFilter(kept), expressionFilter()),
    moderate: text('validationLevel') === 'moderate',
  }
}

function failureOf(document: Buffer, validator: RawValue): CommandError {
  const id = get(documentOf(document), '_id')
  const details = documentFrom([{ name: 'specifiedAs', value: validator }])
  return new DocumentValidationError(
    documentFrom([
      ...(id ? [{ name: 'failingDocumentId', value: id }] : []),
      { name: 'details', value: documentOf(details) },
    ]),
  )
}
