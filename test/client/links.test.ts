import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { wordsOf } from '../../client/app/conversation/links.ts'

describe('links in what people write', () => {
  it('are http and https alone', () => {
    for (const text of ['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'example.com'])
      expect(wordsOf(text)).toEqual([{ text }])
    expect(wordsOf('see https://example.com/a?b=1.')).toEqual([
      { text: 'see ' },
      { text: 'https://example.com/a?b=1', href: 'https://example.com/a?b=1' },
      { text: '.' },
    ])
  })

  it('lose and add nothing of the text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.webUrl(), fc.constantFrom(' ', '\n', '(', ').', 'http://'))),
        (pieces) => {
          const text = pieces.join('')
          expect(
            wordsOf(text)
              .map((part) => part.text)
              .join(''),
          ).toBe(text)
        },
      ),
    )
  })
})
