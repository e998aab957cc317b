import { createHmac } from 'node:crypto'
import type { TelegramCredentials } from '../../adapters/telegram/api.ts'
import type { TwilioCredentials } from '../../adapters/twilio/api.ts'

/** The accounts that the product has at the simulated providers. */
export interface SandboxAccounts {
  telegram: TelegramCredentials & { botId: number; botName: string; title: string }
  twilio: TwilioCredentials & { number: string; title: string }
}

/** The same secret gives the same accounts, so that credentials kept by the product outlive a restart. */
export function sandboxAccounts(secret: string): SandboxAccounts {
  const derived = (label: string): Buffer => createHmac('sha256', secret).update(`sandbox ${label}`).digest()
  const botId = 100_000_000 + (derived('bot id').readUInt32BE(0) % 900_000_000)
  return {
    telegram: {
      botId,
      botName: 'nexus_sandbox_bot',
      title: 'Nexus Café',
      token: `${botId}:${derived('bot token').toString('base64url').slice(0, 35)}`,
      webhookSecret: derived('webhook secret').toString('base64url'),
    },
    twilio: {
      accountSid: `AC${derived('account sid').toString('hex').slice(0, 32)}`,
      authToken: derived('auth token').toString('hex').slice(0, 32),
      number: '+15550001111',
      title: 'Nexus Café',
    },
  }
}
