import type { RawValue } from '../bson/raw.ts'
import { T } from '../bson/types.ts'
import { regexIn, stringIn } from '../bson/values.ts'
import { badValue, CommandError } from '../errors.ts'
import { boundedTest } from './bounded-regex.ts'

/** A compiled regular expression, with the text every match begins with where that is certain. */
export interface Pattern {
  readonly source: string
  readonly options: string
  readonly test: (text: string) => boolean
  readonly expression: RegExp
  readonly prefix: string
}

/** Compiles a pattern written for PCRE. What JavaScript cannot express is refused, not approximated. */
export function compilePattern(source: string, options: string): Pattern {
  if (/[^imsxu]/.test(options)) throw new CommandError(51108, `invalid flag in regex options: ${options}`)
  if (source.includes('\0')) throw badValue('Regular expression cannot contain an embedded null byte')
  let body = source
  let flags = options
  const inline = /^\(\?([imsx]+)\)/.exec(body)
  if (inline) {
    flags += inline[1] ?? ''
    body = body.slice(inline[0].length)
  }
  const prefix = /[imx]/.test(flags) ? '' : literalPrefix(body)
  if (flags.includes('x')) body = withoutFreeSpacing(body)
  body = body
    .replace(/\\A/g, '^')
    .replace(/\\[zZ]/g, '$')
    .replace(/\(\?P</g, '(?<')
  try {
    const unicode = /\\[pP]\{/.test(body) || flags.includes('u')
    const letters = [...'ims'].filter((letter) => flags.includes(letter)).join('')
    const compiled = new RegExp(body, unicode ? `${letters}u` : letters)
    return { source, options, test: boundedTest(compiled), expression: compiled, prefix }
  } catch (error) {
    throw new CommandError(51091, `Regular expression is invalid: ${(error as Error).message}`)
  }
}

/** Compiles a `$regex` operand: a regular expression or a string, with separate options. */
export function patternOf(value: RawValue, options: string | undefined): Pattern {
  if (value.type === T.regex) {
    const own = regexIn(value)
    if (own.options !== '' && options !== undefined) {
      throw new CommandError(51075, 'options set in both $regex and $options')
    }
    return compilePattern(own.pattern, options ?? own.options)
  }
  if (value.type !== T.string) throw badValue('$regex has to be a string')
  return compilePattern(stringIn(value), options ?? '')
}

function literalPrefix(source: string): string {
  const start = source.startsWith('\\A') ? 2 : source.startsWith('^') ? 1 : 0
  if (start === 0 || source.includes('|')) return ''
  let prefix = ''
  let at = start
  while (at < source.length) {
    let letter = source[at] as string
    let next = at + 1
    if (letter === '\\') {
      const escaped = source[next]
      if (escaped === undefined || /[A-Za-z0-9]/.test(escaped)) break
      letter = escaped
      next++
    } else if (/[.[\](){}*+?^$]/.test(letter)) break
    if (/[*?{]/.test(source[next] ?? '')) break
    prefix += letter
    at = next
    if (source[next] === '+') break
  }
  // Half of a surrogate pair is no prefix of the UTF-8 that is stored.
  return /[\uD800-\uDBFF]$/.test(prefix) ? prefix.slice(0, -1) : prefix
}

function withoutFreeSpacing(source: string): string {
  let kept = ''
  let inClass = false
  for (let i = 0; i < source.length; i++) {
    const letter = source[i] as string
    if (letter === '\\') {
      kept += letter + (source[++i] ?? '')
      continue
    }
    if (letter === '[') inClass = true
    if (letter === ']') inClass = false
    if (!inClass && /\s/.test(letter)) continue
    if (!inClass && letter === '#') {
      const end = source.indexOf('\n', i)
      if (end === -1) break
      i = end
      continue
    }
    kept += letter
  }
  return kept
}
