import {
  IconBrandMessenger,
  IconBrandTelegram,
  IconBrandWhatsapp,
  IconMessageCircle2Filled,
} from '@tabler/icons-react'
import type { AccountsView, SandboxChannel, SandboxProvider } from '../../server/sandbox/protocol.ts'
import { phoneOf } from './format.ts'

/** What an app on the phone is called, looks like and can do. */
export interface PhoneApp {
  channel: SandboxChannel
  name: string
  /** What the app calls its own list of conversations. */
  list: string
  provider: SandboxProvider
  providerName: string
  icon(size: number): React.ReactNode
  /** Replies, reactions and edits; text messages have none. */
  rich: boolean
  /** What the app knows of whether and when a message arrived. */
  receipts: boolean
  /** What can be given away beside files and places. */
  sharesNumber: boolean
  /** One's own message can be taken back. */
  removes: boolean
  /** What stands below the business's name. */
  address(accounts: AccountsView): string
}

export const APPS: readonly PhoneApp[] = [
  {
    channel: 'telegram',
    name: 'Telegram',
    list: 'Chats',
    provider: 'telegram',
    providerName: 'Telegram',
    icon: (size) => <IconBrandTelegram size={size} stroke={1.7} aria-hidden="true" />,
    rich: true,
    receipts: false,
    sharesNumber: true,
    removes: false,
    address: ({ telegram }) => `@${telegram.botName} · bot`,
  },
  {
    channel: 'whatsapp',
    name: 'WhatsApp',
    list: 'Chats',
    provider: 'meta',
    providerName: 'Meta',
    icon: (size) => <IconBrandWhatsapp size={size} stroke={1.7} aria-hidden="true" />,
    rich: true,
    receipts: true,
    sharesNumber: true,
    removes: true,
    address: ({ whatsapp }) => phoneOf(whatsapp.number),
  },
  {
    channel: 'messenger',
    name: 'Messenger',
    list: 'Chats',
    provider: 'meta',
    providerName: 'Meta',
    icon: (size) => <IconBrandMessenger size={size} stroke={1.7} aria-hidden="true" />,
    rich: true,
    receipts: true,
    sharesNumber: false,
    removes: false,
    address: () => 'Page',
  },
  {
    channel: 'sms',
    name: 'Messages',
    list: 'Messages',
    provider: 'twilio',
    providerName: 'Twilio',
    icon: (size) => <IconMessageCircle2Filled size={size} aria-hidden="true" />,
    rich: false,
    receipts: true,
    sharesNumber: false,
    removes: false,
    address: ({ sms }) => phoneOf(sms.number),
  },
]

export function appOf(channel: SandboxChannel): PhoneApp {
  const app = APPS.find((one) => one.channel === channel)
  if (!app) throw new Error(`No app for ${channel}`)
  return app
}
