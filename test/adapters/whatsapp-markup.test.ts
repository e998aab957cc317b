import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromMarkup, toMarkup } from '../../adapters/whatsapp/markup.ts'
import type { Mark } from '../../models/content.ts'

const mark = (kind: Mark['kind'], start: number, end: number): Mark => ({ kind, start, end })

describe('WhatsApp’s formatting', () => {
  it.each([
    [
      '*bold* _italic_ ~gone~',
      'bold italic gone',
      [mark('bold', 0, 4), mark('italic', 5, 11), mark('strike', 12, 16)],
    ],
    ['*_both_*', 'both', [mark('bold', 0, 4), mark('italic', 0, 4)]],
    ['`a*b*c` and ```\nx = *y*\n```', 'a*b*c and \nx = *y*\n', [mark('code', 0, 5), mark('pre', 10, 19)]],
    ['> said *before*\nand now', 'said before\nand now', [mark('quote', 0, 11), mark('bold', 5, 11)]],
    ['2*3*4, a_b_c, * not *, **', '2*3*4, a_b_c, * not *, **', undefined],
    ['*over\nlines*', '*over\nlines*', undefined],
    ['*crossed _and* not_', 'crossed _and not_', [mark('bold', 0, 12)]],
    ['(*bold*), *é*', '(bold), é', [mark('bold', 1, 5), mark('bold', 8, 9)]],
  ])('reads %j', (written, text, marks) => {
    const content = fromMarkup(written)
    expect(content.text).toBe(text)
    const sorted = (all: Mark[] | undefined) => all?.map((one) => JSON.stringify(one)).sort()
    expect(sorted(content.marks)).toEqual(sorted(marks))
  })

  it.each([
    ['one two three', [mark('bold', 0, 13), mark('italic', 4, 7)], '*one _two_ three*'],
    ['spaces  around', [mark('bold', 0, 8)], '*spaces*  around'],
    ['two\nlines', [mark('bold', 0, 9)], '*two*\n*lines*'],
    ['unbelievable', [mark('bold', 2, 8)], 'unbelievable'],
    ['said\nbefore\nnow', [mark('quote', 0, 11)], '> said\n> before\nnow'],
    ['see here', [{ ...mark('link', 4, 8), url: 'https://a.example' }], 'see here (https://a.example)'],
    ['under hidden', [mark('underline', 0, 5), mark('spoiler', 6, 12)], 'under hidden'],
    ['a = b', [mark('pre', 0, 5), mark('bold', 0, 1)], '```a = b```'],
  ])('writes %j', (text, marks, written) => {
    expect(toMarkup({ text, marks })).toBe(written)
  })

  it('reads back what it wrote', () => {
    const word = fc.stringMatching(/^[a-zé.,!]{1,6}[a-z]$/)
    const kinds: Mark['kind'][] = ['bold', 'italic', 'strike', 'code']
    const marked = fc.array(fc.tuple(word, fc.option(fc.constantFrom(...kinds))), {
      minLength: 1,
      maxLength: 8,
    })
    fc.assert(
      fc.property(marked, (words) => {
        let text = ''
        const marks: Mark[] = []
        for (const [each, kind] of words) {
          if (text) text += ' '
          if (kind) marks.push(mark(kind, text.length, text.length + each.length))
          text += each
        }
        const back = fromMarkup(toMarkup({ text, marks }))
        expect(back).toEqual({ type: 'text', text, ...(marks.length > 0 && { marks }) })
      }),
      { numRuns: 2_000, seed: 20_261_123 },
    )
  })

  it('reads whatever is written, in a time that grows with its length', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('*', '_', '~', '`', '>', ' ', '\n', 'a', '👍') }),
        (written) => {
          const { text, marks = [] } = fromMarkup(written)
          for (const { start, end } of marks)
            expect(0 <= start && start < end && end <= text.length).toBe(true)
          toMarkup({ text, marks })
        },
      ),
      { numRuns: 5_000, seed: 20_261_123 },
    )
    for (const piece of ['*a', '`a', '```', '_*~', '> ', '*a _b '])
      expect(fromMarkup(piece.repeat(200_000)).text.length).toBeGreaterThan(0)
  })
})
