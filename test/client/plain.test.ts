import { describe, expect, it } from 'vitest'
import { previewOf } from '../../client/app/conversation/preview.ts'
import { nameOf, plain } from '../../client/app/design/plain.ts'

const OVERRIDE = '\u202e'

describe('plain words', () => {
  it('read as they are, not as a mark before them turns them', () => {
    expect(plain(`${OVERRIDE}gnp.exe`)).toBe('gnp.exe')
    expect(plain('a\u202ab\u202bc\u202cd\u202de\u2066f\u2067g\u2068h\u2069i')).toBe('abcdefghi')
  })

  it('keep everything else, from right to left too', () => {
    const words = 'שלום, \u200fעולם! مرحبا 👨‍👩‍👧\n1 < 2'
    expect(plain(words)).toBe(words)
  })

  it('stand for a message, whatever it holds', () => {
    expect(previewOf({ type: 'text', text: `see ${OVERRIDE}gnp.exe` })).toBe('see gnp.exe')
  })

  it('name a contact, by the address where the name is nothing but marks', () => {
    expect(nameOf({ name: `${OVERRIDE}adA`, address: '@ada' })).toBe('adA')
    expect(nameOf({ name: OVERRIDE, address: '@ada' })).toBe('@ada')
  })
})
