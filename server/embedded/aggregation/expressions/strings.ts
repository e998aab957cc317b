import { arrayFrom, NULL, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { intValue, stringIn, stringValue } from '../../bson/values.ts'
import { CommandError } from '../../errors.ts'
import { int32Of, isMissing, isNumeric, longOf } from '../numbers.ts'
import { indexFrom } from './arrays.ts'
import { type Operator, typeOf } from './expression.ts'
import { between, binary, fixed, named, never, unary, type Value, variadic } from './operands.ts'
import { coercedText } from './text.ts'

const MAX_TEXT = 64 * 1024 * 1024

function concat(values: Value[]): Value {
  let text = ''
  for (const value of values) {
    if (isMissing(value)) return NULL
    if (value.type !== T.string)
      throw new CommandError(16702, `$concat only supports strings, not ${typeOf(value)}`)
    text += stringIn(value)
    if (text.length > MAX_TEXT) {
      throw new CommandError(
        13548,
        `$concat made a string of ${text.length} characters, past the 64MB limit.`,
      )
    }
  }
  return stringValue(text)
}

const lower = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
const upper = (text: string): string => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase())

const compareCaseless = binary((left, right) => {
  const [a, b] = [Buffer.from(upper(coercedText(left))), Buffer.from(upper(coercedText(right)))]
  return intValue(Math.sign(a.compare(b)))
})

const lengthOf = (code: number, measure: (text: string) => number): Operator =>
  unary((value, name) => {
    if (value?.type !== T.string)
      throw new CommandError(code, `${name} requires a string argument, found: ${typeOf(value)}`)
    return intValue(measure(stringIn(value)))
  })

const split = binary((text, separator) => {
  if (isMissing(text) || isMissing(separator)) return NULL
  if (text.type !== T.string)
    throw new CommandError(
      40085,
      `$split requires an expression that evaluates to a string as a first argument, found: ${typeOf(text)}`,
    )
  if (separator.type !== T.string)
    throw new CommandError(
      40086,
      `$split requires an expression that evaluates to a string as a second argument, found: ${typeOf(separator)}`,
    )
  const mark = stringIn(separator)
  if (mark === '') throw new CommandError(40087, '$split requires a non-empty separator')
  return arrayFrom(stringIn(text).split(mark).map(stringValue))
})

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

function substrBytes(value: Value, start: Value, count: Value, name: string): RawValue {
  const text = Buffer.from(coercedText(value))
  if (!isNumeric(start))
    throw new CommandError(
      16034,
      `${name}:  starting index must be a numeric type (is BSON type ${typeOf(start)})`,
    )
  if (!isNumeric(count))
    throw new CommandError(16035, `${name}:  length must be a numeric type (is BSON type ${typeOf(count)})`)
  const from = Number(longOf(start))
  const size = Number(longOf(count))
  if (from < 0) throw new CommandError(50752, `${name}:  Starting index must be non-negative (got: ${from})`)
  const end = size < 0 ? text.length : Math.min(from + size, text.length)
  if (isContinuation(text[from]))
    throw new CommandError(28656, `${name}:  Invalid range, starting index is a UTF-8 continuation byte.`)
  if (isContinuation(text[end]))
    throw new CommandError(
      28657,
      `${name}:  Invalid range, ending index is in the middle of a UTF-8 character.`,
    )
  return stringValue(text.toString('utf8', Math.min(from, text.length), end))
}

function substrCodePoints(value: Value, start: Value, count: Value, name: string): RawValue {
  const text = [...coercedText(value)]
  if (!isNumeric(start))
    throw new CommandError(
      34450,
      `${name}: starting index must be a numeric type (is BSON type ${typeOf(start)})`,
    )
  const from = int32Of(start)
  if (from === undefined)
    throw new CommandError(34451, `${name}: starting index cannot be represented as a 32-bit integral value`)
  if (!isNumeric(count))
    throw new CommandError(34452, `${name}: length must be a numeric type (is BSON type ${typeOf(count)})`)
  const size = int32Of(count)
  if (size === undefined)
    throw new CommandError(34453, `${name}: length cannot be represented as a 32-bit integral value`)
  if (size < 0) throw new CommandError(34454, `${name}: length must be a nonnegative integer.`)
  if (from < 0) throw new CommandError(34455, `${name}: the starting index must be nonnegative integer.`)
  return stringValue(text.slice(from, from + size).join(''))
}

const ternary =
  (apply: (a: Value, b: Value, c: Value, name: string) => Value): Operator =>
  (operand, compiler, name) => {
    const [a = never, b = never, c = never] = fixed(operand, compiler, name, 3)
    return (scope) => apply(a(scope), b(scope), c(scope), name)
  }

/** `$indexOfBytes` and `$indexOfCP`: positions in units of the text. */
function indexOfText(
  codes: readonly [number, number],
  unitsOf: (text: string) => string[] | Buffer,
): Operator {
  return (operand, compiler, name) => {
    const [text = never, wanted = never, first, last] = between(operand, compiler, name, 2, 4)
    return (scope) => {
      const value = text(scope)
      if (isMissing(value)) return NULL
      if (value.type !== T.string)
        throw new CommandError(
          codes[0],
          `${name} requires a string as the first argument, found: ${typeOf(value)}`,
        )
      const search = wanted(scope)
      if (search?.type !== T.string)
        throw new CommandError(
          codes[1],
          `${name} requires a string as the second argument, found: ${typeOf(search)}`,
        )
      const units = unitsOf(stringIn(value))
      const sought = unitsOf(stringIn(search))
      const start = first ? indexFrom(first(scope), name, 'starting') : 0
      const end = Math.min(last ? indexFrom(last(scope), name, 'ending') : units.length, units.length)
      for (let i = start; i + sought.length <= end; i++) {
        let j = 0
        while (j < sought.length && units[i + j] === sought[j]) j++
        if (j === sought.length) return intValue(i)
      }
      return intValue(-1)
    }
  }
}

/** What `$trim` takes away when it is not told: MongoDB's list of blanks. */
const BLANKS = [
  ...'\0\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a',
]

function trim(left: boolean, right: boolean): Operator {
  return (operand, compiler, name) => {
    const { input = never, chars } = named(operand, compiler, name, {
      notObject: 50696,
      unknown: 50694,
      required: { input: 50695 },
      optional: ['chars'],
    })
    return (scope) => {
      const value = input(scope)
      if (isMissing(value)) return NULL
      if (value.type !== T.string)
        throw new CommandError(
          50699,
          `${name} requires its input to be a string, got ${typeOf(value)} instead.`,
        )
      let taken = BLANKS
      if (chars) {
        const given = chars(scope)
        if (isMissing(given)) return NULL
        if (given.type !== T.string)
          throw new CommandError(
            50700,
            `${name} requires 'chars' to be a string, got ${typeOf(given)} instead.`,
          )
        taken = [...stringIn(given)]
      }
      const letters = [...stringIn(value)]
      let start = 0
      let end = letters.length
      while (left && start < end && taken.includes(letters[start] as string)) start++
      while (right && end > start && taken.includes(letters[end - 1] as string)) end--
      return stringValue(letters.slice(start, end).join(''))
    }
  }
}

function replace(all: boolean): Operator {
  return (operand, compiler, name) => {
    const parts = named(operand, compiler, name, {
      notObject: 51751,
      unknown: 51750,
      required: { input: 51749, find: 51748, replacement: 51747 },
    })
    const codes = { input: 51746, find: 51745, replacement: 51744 }
    return (scope) => {
      const texts = Object.entries(codes).map(([key, code]) => {
        const value = (parts[key] ?? never)(scope)
        if (isMissing(value)) return undefined
        if (value.type !== T.string)
          throw new CommandError(code, `${name} requires that '${key}' be a string, found: ${typeOf(value)}`)
        return stringIn(value)
      })
      const [input, find, replacement] = texts
      if (input === undefined || find === undefined || replacement === undefined) return NULL
      const given = () => replacement
      return stringValue(all ? input.replaceAll(find, given) : input.replace(find, given))
    }
  }
}

export const STRINGS: Readonly<Record<string, Operator>> = {
  $concat: variadic(concat),
  $toLower: unary((value) => stringValue(lower(coercedText(value)))),
  $toUpper: unary((value) => stringValue(upper(coercedText(value)))),
  $strcasecmp: compareCaseless,
  $strLenBytes: lengthOf(34473, (text) => Buffer.byteLength(text)),
  $strLenCP: lengthOf(34471, (text) => [...text].length),
  $split: split,
  $substr: ternary(substrBytes),
  $substrBytes: ternary(substrBytes),
  $substrCP: ternary(substrCodePoints),
  $indexOfBytes: indexOfText([40091, 40092], (text) => Buffer.from(text)),
  $indexOfCP: indexOfText([40093, 40094], (text) => [...text]),
  $trim: trim(true, true),
  $ltrim: trim(true, false),
  $rtrim: trim(false, true),
  $replaceOne: replace(false),
  $replaceAll: replace(true),
}
