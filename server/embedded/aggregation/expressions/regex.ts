import { arrayFrom, NULL, type RawValue } from '../../bson/raw.ts'
import { T } from '../../bson/types.ts'
import { intValue, regexIn, stringIn, stringValue } from '../../bson/values.ts'
import { CommandError } from '../../errors.ts'
import { compilePattern } from '../../query/regex.ts'
import { isMissing } from '../numbers.ts'
import { constantOf, type Expression, type Operator, type Scope } from './expression.ts'
import { objectFrom } from './objects.ts'
import { FALSE, named, never, TRUE, type Value } from './operands.ts'

/** A pattern ready to run from a position; undefined when it is null. */
type Search = ((text: string, from: number) => RegExpExecArray | null) | undefined

function searchFor(name: string, regex: Value, options: Value): Search {
  if (!isMissing(options) && options.type !== T.string)
    throw new CommandError(51106, `${name} needs 'options' to be of type string`)
  const flags = isMissing(options) ? '' : stringIn(options)
  if (flags.includes('\0'))
    throw new CommandError(51110, `${name}: regular expression options cannot contain an embedded null byte`)
  if (isMissing(regex)) return undefined
  if (regex.type === T.string) return compiled(name, stringIn(regex), flags)
  if (regex.type !== T.regex)
    throw new CommandError(51105, `${name} needs 'regex' to be of type string or regex`)
  const own = regexIn(regex)
  if (own.options !== '' && !isMissing(options))
    throw new CommandError(
      51107,
      `${name}: found regex option(s) specified in both 'regex' and 'option' fields`,
    )
  return compiled(name, own.pattern, own.options === '' ? flags : own.options)
}

function compiled(name: string, source: string, options: string): Search {
  if (source.includes('\0'))
    throw new CommandError(51109, `${name}: regular expression cannot contain an embedded null byte`)
  try {
    const { expression, test } = compilePattern(source, options)
    const searching = new RegExp(expression.source, `${expression.flags.replace('g', '')}g`)
    return (text, from) => {
      // The test has a limit of time, which a search has not.
      if (from === 0 && !test(text)) return null
      searching.lastIndex = from
      return searching.exec(text)
    }
  } catch (error) {
    if (error instanceof CommandError && error.code === 51108) throw error
    throw new CommandError(51111, `Invalid Regex in ${name}: ${(error as Error).message}`)
  }
}

/** The text and the pattern of a `$regex…` operator, evaluated; undefined when one of them is null. */
function parts(operand: RawValue, compile: Parameters<Operator>[1], name: string) {
  const {
    input = never,
    regex = never,
    options,
  } = named(operand, compile, name, {
    notObject: 51103,
    unknown: 31024,
    required: { input: 31022, regex: 31023 },
    optional: ['options'],
  })
  const search = searching(name, regex, options)
  return (scope: Scope): { text: string; search: NonNullable<Search> } | undefined => {
    const found = search(scope)
    const value = input(scope)
    if (!isMissing(value) && value.type !== T.string && value.type !== T.symbol)
      throw new CommandError(51104, `${name} needs 'input' to be of type string`)
    return isMissing(value) || !found ? undefined : { text: stringIn(value), search: found }
  }
}

function searching(
  name: string,
  regex: Expression,
  options: Expression | undefined,
): (scope: Scope) => Search {
  const known = constantOf(regex)
  const knownOptions = options ? constantOf(options) : { value: undefined }
  if (known && knownOptions) {
    const search = searchFor(name, known.value, knownOptions.value)
    return () => search
  }
  return (scope) => searchFor(name, regex(scope), options?.(scope))
}

function matchOf(match: RegExpExecArray, text: string): RawValue {
  return objectFrom([
    { name: 'match', value: stringValue(match[0]) },
    { name: 'idx', value: intValue([...text.slice(0, match.index)].length) },
    {
      name: 'captures',
      value: arrayFrom(
        match.slice(1).map((part: string | undefined) => (part === undefined ? NULL : stringValue(part))),
      ),
    },
  ])
}

const regexMatch: Operator = (operand, compiler, name) => {
  const evaluate = parts(operand, compiler, name)
  return (scope) => {
    const given = evaluate(scope)
    return given?.search(given.text, 0) ? TRUE : FALSE
  }
}

const regexFind: Operator = (operand, compiler, name) => {
  const evaluate = parts(operand, compiler, name)
  return (scope) => {
    const given = evaluate(scope)
    const match = given?.search(given.text, 0)
    return given && match ? matchOf(match, given.text) : NULL
  }
}

const regexFindAll: Operator = (operand, compiler, name) => {
  const evaluate = parts(operand, compiler, name)
  return (scope) => {
    const given = evaluate(scope)
    const found: RawValue[] = []
    if (!given) return arrayFrom(found)
    const { text, search } = given
    for (let at = 0; at <= text.length; ) {
      const match = search(text, at)
      if (!match) break
      found.push(matchOf(match, text))
      at = match.index + (match[0].length || [...text.slice(match.index)][0]?.length || 1)
    }
    return arrayFrom(found)
  }
}

export const REGEX: Readonly<Record<string, Operator>> = {
  $regexMatch: regexMatch,
  $regexFind: regexFind,
  $regexFindAll: regexFindAll,
}
