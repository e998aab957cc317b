import { parsePhoneNumberFromString } from 'libphonenumber-js/max'
import type { Channel } from './channels.ts'
import type { Address } from './ids.ts'

/** What makes an address one person's: two spellings with one key are the same identity. */
export interface AddressKey {
  key: string
  /** E.164, where the address is a phone number: the same person on every channel that knows people by it. */
  phone?: string
}

/** Channels on which people are their phone numbers. */
const BY_PHONE: ReadonlySet<Channel> = new Set(['sms', 'whatsapp'])
export const isByPhone = (channel: Channel): boolean => BY_PHONE.has(channel)

export function addressKey(channel: Channel, address: Address): AddressKey {
  if (!isByPhone(channel)) return { key: address }
  const phone = phoneOf(address)
  return phone === undefined ? { key: address } : { key: phone, phone }
}

/**
 * A phone number in E.164, with the variants of one number made one. Undefined for what is no such number: a short code, a
 * sender's name, a provider's own id for a person.
 *
 * Brazil put a 9 before its mobile numbers and WhatsApp still knows many without it; Argentina's mobiles carry a 9 after
 * the country code on WhatsApp and not in text messages; Mexico dropped a 1 there that old accounts still have.
 */
export function phoneOf(text: string): string | undefined {
  const parsed = parsePhoneNumberFromString(text.startsWith('+') ? text : `+${text}`)
  if (!parsed) return undefined
  const { countryCallingCode: country, nationalNumber: national } = parsed
  if (country === '55' && /^[1-9]\d[6-9]\d{7}$/.test(national))
    return `+55${national.slice(0, 2)}9${national.slice(2)}`
  if (country === '54' && /^9\d{10}$/.test(national)) return `+54${national.slice(1)}`
  if (country === '52' && /^1\d{10}$/.test(national)) return `+52${national.slice(1)}`
  return parsed.isPossible() ? parsed.number : undefined
}
