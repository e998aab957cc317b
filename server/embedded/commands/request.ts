import { evaluateVariables } from '../aggregation/expressions/compile.ts'
import { decode, encodeDocument, type Plain } from '../bson/plain.ts'
import { documentOf, itemsOf, type RawValue } from '../bson/raw.ts'
import { isNumberType, T, typeName } from '../bson/types.ts'
import { boolIn, isTruthy, numberIn, stringIn } from '../bson/values.ts'
import type { Engine } from '../engine.ts'
import { badValue, CommandError, typeMismatch } from '../errors.ts'

/** A command as it arrived. */
export interface Command {
  readonly name: string
  readonly database: string
  readonly body: RawValue
  readonly fields: ReadonlyMap<string, RawValue>
  /** Documents that came beside the body. */
  readonly sequences: ReadonlyMap<string, RawValue[]>
}

/** How a command is served. */
export interface Handler {
  /** The options it knows, besides those every command has. */
  readonly options: readonly string[]
  /** It takes options by any name: what it does not know it refuses itself. */
  readonly anyOption?: boolean
  readonly run: (request: Request) => Promise<Buffer> | Buffer
}

/** Options that say nothing a single machine must act on. */
export const COMMON_OPTIONS = new Set([
  '$db',
  '$readPreference',
  '$clusterTime',
  '$configServerState',
  '$audit',
  '$client',
  '$tenant',
  'lsid',
  'comment',
  'readConcern',
  'writeConcern',
  'apiVersion',
  'apiStrict',
  'apiDeprecationErrors',
  'maxTimeMS',
  'maxTimeMSOpOnly',
  'txnNumber',
  'autocommit',
  'startTransaction',
  'serialization_context',
  'bypassDocumentValidation',
  'bypassEmptyTsReplacement',
  'mayBypassWriteBlocking',
])

/** A command with the engine that serves it, and typed access to its options. */
export class Request {
  readonly engine: Engine
  readonly command: Command
  readonly #startedAt = Date.now()

  constructor(engine: Engine, command: Command) {
    this.engine = engine
    this.command = command
  }

  get database(): string {
    return this.command.database
  }

  /** The collection the command names in its first field. */
  get collectionName(): string {
    const value = this.command.fields.get(this.command.name)
    if (value?.type !== T.string) {
      throw new CommandError(73, `collection name has invalid type ${typeName(value?.type ?? T.null)}`)
    }
    const name = stringIn(value)
    if (name === '') throw new CommandError(73, `Invalid namespace specified '${this.database}.'`)
    return name
  }

  get namespace(): string {
    return `${this.database}.${this.collectionName}`
  }

  /** When the command has to give up, or zero. */
  get deadline(): number {
    const limit = this.number('maxTimeMS', 0)
    if (limit < 0) throw badValue('maxTimeMS must be non-negative')
    return limit === 0 ? 0 : this.#startedAt + limit
  }

  has(name: string): boolean {
    return this.command.fields.has(name)
  }

  /** An option, when it is there and not null. */
  value(name: string): RawValue | undefined {
    const value = this.command.fields.get(name)
    return value?.type === T.null ? undefined : value
  }

  document(name: string): RawValue | undefined {
    const value = this.value(name)
    if (value && value.type !== T.object) throw this.#wrongType(name, value, 'object')
    return value
  }

  string(name: string): string | undefined {
    const value = this.value(name)
    if (value && value.type !== T.string) throw this.#wrongType(name, value, 'string')
    return value && stringIn(value)
  }

  boolean(name: string, otherwise: boolean): boolean {
    const value = this.value(name)
    if (!value) return otherwise
    if (value.type === T.bool) return boolIn(value)
    if (isNumberType(value.type)) return isTruthy(value)
    throw this.#wrongType(name, value, 'bool')
  }

  number(name: string, otherwise: number): number {
    const value = this.value(name)
    if (!value) return otherwise
    if (!isNumberType(value.type)) throw this.#wrongType(name, value, 'number')
    const number = Number(value.type === T.decimal ? String(decode(value)) : numberIn(value))
    if (Number.isNaN(number)) throw badValue(`BSON field '${this.command.name}.${name}' is not a number`)
    return Math.trunc(number)
  }

  /** A list of documents, from the body or beside it. */
  documents(name: string): RawValue[] {
    const sequence = this.command.sequences.get(name)
    if (sequence) return sequence
    const value = this.command.fields.get(name)
    if (!value) {
      throw new CommandError(
        40414,
        `BSON field '${this.command.name}.${name}' is missing but a required field`,
      )
    }
    if (value.type !== T.array) throw this.#wrongType(name, value, 'array')
    const items = itemsOf(value)
    for (const item of items) if (item.type !== T.object) throw this.#wrongType(name, item, 'object')
    return items
  }

  /** The variables of `let`. */
  variables(): Plain {
    const given = this.document('let')
    return given ? evaluateVariables(given) : {}
  }

  #wrongType(name: string, value: RawValue, wanted: string): CommandError {
    return typeMismatch(
      `BSON field '${this.command.name}.${name}' is the wrong type '${typeName(value.type)}', expected type '${wanted}'`,
    )
  }
}

/** An answer that succeeded. */
export const ok = (answer: Plain = {}): Buffer => encodeDocument({ ...answer, ok: 1 })

/** A document in an answer, as its bytes. */
export const raw = (bytes: Buffer): RawValue => documentOf(bytes)
