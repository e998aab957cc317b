import { describe, expect, test } from 'vitest'
import type { Content } from '../../models/content.ts'
import { closesAfter, outsideWindow, type WindowRule, windowAt } from '../../models/windows.ts'

const HOUR = 3_600_000
const WROTE = new Date('2026-03-01T12:00:00Z')
const after = (hours: number, plusMs = 0) => new Date(WROTE.getTime() + hours * HOUR + plusMs)
const TEXT: Content = { type: 'text', text: 'Hello' }
const TEMPLATE: Content = { type: 'template', name: 't', language: 'en', parameters: [], text: 'Hello' }

const may = (rule: WindowRule | null, hours: number, content: Content, byPerson: boolean, plusMs = 0) =>
  outsideWindow(rule, WROTE, after(hours, plusMs), content, byPerson) === null

describe('WhatsApp', () => {
  test('takes anything to the last millisecond of 24 hours, then templates only', () => {
    expect(may('whatsapp', 24, TEXT, true, -1)).toBe(true)
    expect(may('whatsapp', 24, TEXT, true)).toBe(false)
    expect(may('whatsapp', 24, TEMPLATE, false)).toBe(true)
    expect(may('whatsapp', 24 * 365, TEMPLATE, false)).toBe(true)
  })

  test('takes a template from a person who never wrote, and nothing else', () => {
    expect(outsideWindow('whatsapp', undefined, WROTE, TEMPLATE, true)).toBeNull()
    expect(outsideWindow('whatsapp', undefined, WROTE, TEXT, true)).toMatch(/template/)
  })
})

describe('Messenger', () => {
  test('takes a bot’s answer for 24 hours, a person’s for 7 days, then nobody’s', () => {
    expect(may('messenger', 24, TEXT, false, -1)).toBe(true)
    expect(may('messenger', 24, TEXT, false)).toBe(false)
    expect(may('messenger', 7 * 24, TEXT, true, -1)).toBe(true)
    expect(may('messenger', 7 * 24, TEXT, true)).toBe(false)
    expect(windowAt('messenger', WROTE, after(7 * 24)).state).toBe('closed')
  })
})

test('without a rule the window is always open', () => {
  expect(may(null, 24 * 365, TEXT, false)).toBe(true)
  expect(closesAfter(null, WROTE)).toBeUndefined()
})

test('closes 24 hours after their last message', () => {
  expect(closesAfter('whatsapp', WROTE)).toEqual(after(24))
})
