import vm from 'node:vm'
import { CommandError } from '../errors.ts'

/** How long one match may keep everyone else waiting. */
const LIMIT_MS = 200
/** So many steps are done in less than that, whatever the pattern. */
const SAFE_STEPS = 5_000_000
/** A repeat of at most so many is not counted as one without end. */
const SMALL_REPEAT = 8

/** A group whose body can match one text in several ways, when it holds a choice or a repeat. */
interface Group {
  choices: boolean
}

/**
 * How a pattern's work grows with the text: with each repeat without end one power more, and without bound where
 * a repeat lies in a repeat.
 */
export function growthOf(body: string): number {
  let repeats = 0
  let inClass = false
  const groups: Group[] = [{ choices: false }]
  let closed: Group | undefined
  for (let at = 0; at < body.length; at++) {
    const letter = body[at]
    if (letter === '\\') {
      // What a group matched may be repeated by its number.
      if (/[1-9k]/.test(body[at + 1] ?? '')) repeats++
      at++
    } else if (inClass) inClass = letter !== ']'
    else if (letter === '[') inClass = true
    else if (letter === '(') groups.push({ choices: false })
    else if (letter === '|') for (const group of groups) group.choices = true
    else if (isLongRepeat(body, at)) {
      repeats++
      if (body[at - 1] === ')' && closed?.choices) return Number.POSITIVE_INFINITY
      for (const group of groups) group.choices = true
    }
    if (letter === ')' && !inClass && groups.length > 1) closed = groups.pop()
  }
  return repeats + 1
}

function isLongRepeat(body: string, at: number): boolean {
  const letter = body[at]
  if (letter === '*' || letter === '+') return body[at - 1] !== '*' && body[at - 1] !== '+'
  const counts = letter === '{' ? /^\{(\d+)(,(\d*))?\}/.exec(body.slice(at, at + 24)) : null
  return counts !== null && (counts[3] === '' || Number(counts[3] ?? counts[1]) > SMALL_REPEAT)
}

/**
 * The test of a compiled pattern. Where its backtracking could take long it runs under a limit, so that one query
 * never stops the others; then the query ends with MongoDB's error for that.
 */
export function boundedTest(compiled: RegExp): (text: string) => boolean {
  const growth = growthOf(compiled.source)
  const longest = SAFE_STEPS ** (1 / growth)
  let bounded: ((text: string) => boolean) | undefined
  return (text) => {
    if (text.length <= longest) return compiled.test(text)
    bounded ??= limited(compiled)
    return bounded(text)
  }
}

const script = new vm.Script('pattern.test(text)')

function limited(pattern: RegExp): (text: string) => boolean {
  const sandbox = Object.assign(Object.create(null) as object, { pattern, text: '' })
  const context = vm.createContext(sandbox)
  return (text) => {
    sandbox.text = text
    try {
      return script.runInContext(context, { timeout: LIMIT_MS }) as boolean
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
      throw new CommandError(
        51156,
        `Error occurred while executing regular expression: it backtracked for more than ${LIMIT_MS} ms`,
      )
    } finally {
      sandbox.text = ''
    }
  }
}
