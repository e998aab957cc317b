import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Stretch, stretchesOf } from '../../client/app/conversation/marks.ts'
import type { Mark } from '../../models/content.ts'

const mark = (kind: Mark['kind'], start: number, end: number): Mark => ({ kind, start, end })
const wordsIn = (stretches: Stretch[]): string =>
  stretches.map((one) => (typeof one === 'string' ? one : wordsIn(one.inside))).join('')

describe('a text cut at its marks', () => {
  it('nests what lies inside', () => {
    const [bold, italic] = [mark('bold', 4, 13), mark('italic', 8, 13)]
    expect(stretchesOf('one two three four', [italic, bold])).toEqual([
      'one ',
      { mark: bold, inside: ['two ', { mark: italic, inside: ['three'] }] },
      ' four',
    ])
  })

  it('keeps every word once, whatever the marks', () => {
    const place = fc.integer({ min: -3, max: 40 })
    const marks = fc.array(fc.tuple(fc.constantFrom<Mark['kind']>('bold', 'link', 'pre'), place, place))
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), marks, (text, given) => {
        const stretches = stretchesOf(
          text,
          given.map((one) => mark(...one)),
        )
        expect(wordsIn(stretches)).toBe(text)
      }),
      { numRuns: 2_000, seed: 20_261_123 },
    )
  })
})
