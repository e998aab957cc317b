import {
  IconBrandMessenger,
  IconBrandTelegram,
  IconBrandWhatsapp,
  IconMessage,
  IconMessageCircle,
  IconWorld,
} from '@tabler/icons-react'
import type { Channel } from '../../../models/channels.ts'
import { text } from '../text.ts'

const ICONS: Partial<Record<Channel, typeof IconMessage>> = {
  telegram: IconBrandTelegram,
  sms: IconMessage,
  whatsapp: IconBrandWhatsapp,
  messenger: IconBrandMessenger,
  web: IconWorld,
}

export const channelName = (channel: Channel): string => text.channel[channel] ?? channel

export function ChannelIcon({ channel, size = 14 }: { channel: Channel; size?: number }) {
  const Icon = ICONS[channel] ?? IconMessageCircle
  return <Icon size={size} stroke={1.8} role="img" aria-label={channelName(channel)} />
}
