import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Capabilities, NOTHING } from '../../adapters/capabilities.ts'
import { fit, misfit, split } from '../../adapters/fit.ts'
import { adapters } from '../../adapters/registry.ts'
import type { Content } from '../../models/content.ts'
import type { MediaId } from '../../models/ids.ts'

const sms: Capabilities = { ...NOTHING, content: { text: { maxLength: 160 } }, segments: 'sms' }
const chat: Capabilities = {
  ...NOTHING,
  content: {
    text: { maxLength: 4096 },
    buttons: { maxLength: 1024, maxChoices: 3, maxTitle: 20 },
    list: { maxLength: 1024, maxChoices: 10, maxTitle: 24 },
    image: { maxLength: 20, maxBytes: 5_000, mime: ['image/jpeg'] },
    document: { maxLength: 1024, maxBytes: 100_000 },
  },
}
const menu = (...titles: string[]): Content => ({
  type: 'list',
  text: 'Which day?',
  button: 'Days',
  sections: [{ title: 'This week', rows: titles.map((title, i) => ({ id: `d${i}`, title })) }],
})
const picture = (part: { size?: number; mime?: string; caption?: string }): Content => ({
  type: 'image',
  file: {
    state: 'stored',
    id: 'f' as MediaId,
    name: 'a',
    mime: part.mime ?? 'image/jpeg',
    size: part.size ?? 1,
  },
  ...(part.caption ? { caption: part.caption } : {}),
})

describe('what a channel lacks is said in another way', () => {
  test('a list becomes numbered text where there are no choices', () => {
    expect(fit(menu('Monday', 'Tuesday'), sms)).toEqual({
      as: 'fallback',
      content: { type: 'text', text: 'Which day?\n\nThis week\n1. Monday\n2. Tuesday' },
      instead: 'a numbered text',
    })
  })

  test('buttons too many for buttons become a list', () => {
    const buttons: Content = {
      type: 'buttons',
      text: 'Which day?',
      buttons: ['Mon', 'Tue', 'Wed', 'Thu'].map((title) => ({ id: title, title })),
    }
    expect(fit(buttons, chat)).toMatchObject({ as: 'fallback', content: { type: 'list' } })
  })

  test('a place becomes a link to a map, a card its words, a template its text', () => {
    expect(fit({ type: 'location', latitude: -1.29, longitude: 36.82, name: 'Shop' }, sms)).toMatchObject({
      content: { type: 'text', text: expect.stringMatching(/^Shop\nhttps:\/\/www\.openstreetmap\.org/) },
    })
    expect(fit({ type: 'contact', name: 'Ann', phones: ['+254711000001'] }, sms)).toMatchObject({
      content: { type: 'text', text: 'Ann\n+254711000001' },
    })
  })

  test('a picture of a kind or size that is no picture here goes as a document', () => {
    expect(fit(picture({ mime: 'image/png' }), chat)).toMatchObject({ content: { type: 'document' } })
    expect(fit(picture({ size: 50_000 }), chat)).toMatchObject({ content: { type: 'document' } })
    expect(fit(picture({ size: 500_000 }), chat)).toMatchObject({ as: 'refused' })
  })
})

describe('what is too long is cut into messages', () => {
  test('at paragraphs, lines or words', () => {
    expect(split('one two three', 8)).toEqual(['one two', 'three'])
    expect(split(`${'a'.repeat(90)}\n\n${'b'.repeat(90)}`, 160)).toEqual(['a'.repeat(90), 'b'.repeat(90)])
  })

  test('a caption too long goes after its picture', () => {
    const fitting = fit(picture({ caption: 'x '.repeat(30).trim() }), chat)
    expect(fitting).toMatchObject({ as: 'fallback', content: { type: 'document' } })
    const { document: _, ...content } = chat.content
    expect(fit(picture({ caption: 'x '.repeat(30).trim() }), { ...chat, content })).toMatchObject({
      as: 'parts',
      contents: [{ type: 'image' }, { type: 'text' }],
    })
  })

  test('loses no word, breaks no character, and every part fits', () => {
    const words = fc
      .array(fc.constantFrom('word', '👩‍👩‍👧', 'ü', '\n\n', 'longerword', 'م'), { maxLength: 200 })
      .map((parts) => parts.join(' '))
    fc.assert(
      fc.property(words, fc.integer({ min: 20, max: 80 }), (text, most) => {
        const parts = split(text, most)
        if (parts.length === 0) return // longer than anybody should send: refused
        for (const part of parts) {
          expect(part.length).toBeLessThanOrEqual(most)
          expect(part).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])/)
        }
        expect(parts.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''))
      }),
      { seed: 7 },
    )
  })

  test('what would take more than ten messages is refused in a sentence', () => {
    expect(fit({ type: 'text', text: 'word '.repeat(1_000) }, sms)).toMatchObject({
      as: 'refused',
      reason: expect.stringMatching(/Too long/),
    })
  })
})

test.each(
  adapters().map((adapter) => [`${adapter.provider} ${adapter.channel}`, adapter.capabilities] as const),
)('whatever fit lets through to %s has no misfit there', (_name, capabilities) => {
  const contents: Content[] = [
    { type: 'text', text: 'word '.repeat(900) },
    menu('Monday', 'Tuesday', 'a title that is rather too long for most channels'),
    { type: 'location', latitude: 1, longitude: 2 },
    { type: 'contact', name: 'Ann', phones: ['+254711000001'] },
    { type: 'quick-replies', text: 'Well?', replies: [{ id: 'y', title: 'Yes' }] },
    picture({ caption: 'c'.repeat(1_500) }),
    picture({ size: 30_000_000, mime: 'image/tiff' }),
  ]
  for (const content of contents) {
    const fitting = fit(content, capabilities)
    switch (fitting.as) {
      case 'refused':
        expect(fitting.reason).toMatch(/\.$/)
        break
      case 'parts':
        for (const part of fitting.contents) expect(misfit(part, capabilities)).toBeNull()
        break
      default:
        expect(misfit(fitting.content, capabilities)).toBeNull()
    }
  }
})
