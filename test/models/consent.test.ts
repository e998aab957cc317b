import { describe, expect, test } from 'vitest'
import { addressKey, phoneOf } from '../../models/address.ts'
import type { Address } from '../../models/ids.ts'
import { understood } from '../../models/offers.ts'
import { consentIn } from '../../models/opt-out.ts'

describe('a word that shuts or opens the door', () => {
  test.each([
    ['STOP', 'stop'],
    [' stop. ', 'stop'],
    ['Arrêt', 'stop'],
    ['“Stop all”', 'stop'],
    ['توقف', 'stop'],
    ['start', 'start'],
    ['UNSTOP!', 'start'],
  ])('%j asks for %s', (text, consent) => expect(consentIn(text)).toBe(consent))

  test.each(['please stop', 'STOP sending the red ones', 'restart', '', '🛑', 'non-stop'])(
    '%j is said to the agent',
    (text) => expect(consentIn(text)).toBeNull(),
  )
})

describe('one number is one person, however it is written', () => {
  test.each([
    ['+5511987654321', '+551187654321'], // Brazil’s ninth digit
    ['+5491155551234', '+541155551234'], // Argentina’s 9
    ['+5215512345678', '+525512345678'], // Mexico’s old 1
    ['+254711000001', '254711000001'],
  ])('%s and %s', (one, other) => {
    expect(phoneOf(one)).toBe(phoneOf(other))
    expect(phoneOf(one)).toMatch(/^\+/)
  })

  test('a Brazilian landline has no ninth digit', () => {
    expect(phoneOf('+551133334444')).toBe('+551133334444')
  })

  test.each(['MYBANK', '21512', ''])('%j is no number and stays what it is', (text) => {
    expect(phoneOf(text)).toBeUndefined()
    expect(addressKey('sms', text as Address)).toEqual({ key: text })
  })

  test('a chat id is no phone number, though it is made of digits', () => {
    expect(addressKey('telegram', '254711000001' as Address)).toEqual({ key: '254711000001' })
  })
})

describe('an answer to a menu', () => {
  const offered = [
    { id: 'mon', title: 'Monday' },
    { id: 'tue', title: 'Tuesday' },
  ]
  const text = (words: string) => ({ type: 'text', text: words }) as const

  test.each([
    ['2', 'tue'],
    [' 2. ', 'tue'],
    ['1)', 'mon'],
    ['monday', 'mon'],
  ])('%j picks %s', (words, id) =>
    expect(understood(text(words), offered)).toMatchObject({ type: 'choice', id }),
  )

  test.each(['3', '0', '22', 'Monday or Tuesday?', '-1', '1e0'])('%j is what it says', (words) =>
    expect(understood(text(words), offered)).toEqual(text(words)),
  )

  test('where nothing was offered, a number is a number', () => {
    expect(understood(text('2'), undefined)).toEqual(text('2'))
  })
})
