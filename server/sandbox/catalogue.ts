import type { SandboxChannel, SandboxProvider } from './protocol.ts'

const EVERY_CHANNEL: Record<SandboxChannel, true> = {
  telegram: true,
  sms: true,
  whatsapp: true,
  messenger: true,
}
const EVERY_PROVIDER: Record<SandboxProvider, true> = { telegram: true, twilio: true, meta: true }

/** What there is on a phone, and who carries it; the compiler keeps both whole. */
export const CHANNELS = Object.keys(EVERY_CHANNEL) as SandboxChannel[]
export const PROVIDERS = Object.keys(EVERY_PROVIDER) as SandboxProvider[]

/** One of something for each. */
export const perChannel = <T>(make: (channel: SandboxChannel) => T): Record<SandboxChannel, T> =>
  Object.fromEntries(CHANNELS.map((channel) => [channel, make(channel)])) as Record<SandboxChannel, T>
export const perProvider = <T>(make: (provider: SandboxProvider) => T): Record<SandboxProvider, T> =>
  Object.fromEntries(PROVIDERS.map((provider) => [provider, make(provider)])) as Record<SandboxProvider, T>
