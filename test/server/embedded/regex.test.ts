import { describe, expect, it } from 'vitest'
import { boundedTest, growthOf } from '../../../server/embedded/query/bounded-regex.ts'

describe('a pattern that backtracks', () => {
  const hostile = 'a'.repeat(60)
  it.each([
    /^(a+)+$/,
    /^(a+)+$/i,
    /^(a|a)*$/,
    /^(?:a|aa)+$/u,
    /(?=(a+)+b)c/,
    /^((a+)\2?)+$/,
    /^(\w+\s?)*$/,
    /^(([a-z])+.)+[A-Z]([a-z])+$/,
    /^(a{1,30}){1,30}$/,
  ])('%s ends in time, with an error of the query', (pattern) => {
    const started = performance.now()
    expect(() => boundedTest(pattern)(`${hostile}!`)).toThrow(/backtracked for more than/)
    expect(performance.now() - started).toBeLessThan(5_000)
  })

  it('takes no longer where repeats follow each other over a long text', () => {
    expect(() => boundedTest(/x*x*x*x*y/)('x'.repeat(20_000))).toThrow(/backtracked for more than/)
  })

  it('answers as it does without a limit', () => {
    expect(boundedTest(/^(a+)+$/)(hostile)).toBe(true)
    expect(boundedTest(/(ab|cd)+e/)('xxababcde')).toBe(true)
    expect(boundedTest(/o w.*d$/)(`hello world${'x'.repeat(10_000)}`)).toBe(false)
    expect(boundedTest(/^\[x\]*(y)?$/)('[x]]]]y')).toBe(true)
  })

  it.each<[string, number]>([
    ['^abc', 1],
    ['ab?c{0,3}', 1],
    ['[(+*]x+', 2],
    ['\\(a+\\)+', 3],
    ['(abc)+', 2],
    ['(a|b)c', 1],
    ['(a|b)+', Number.POSITIVE_INFINITY],
    ['((a+)b)*', Number.POSITIVE_INFINITY],
    ['(a+)b(c)+', 3],
  ])('%s grows with the power %d', (body, growth) => {
    expect(growthOf(body)).toBe(growth)
  })
})
