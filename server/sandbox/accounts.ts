import { createHmac } from 'node:crypto'
import type { MessengerCredentials } from '../../adapters/meta/messenger/account.ts'
import type { WhatsAppCredentials } from '../../adapters/meta/whatsapp/account.ts'
import type { TelegramCredentials } from '../../adapters/telegram/api.ts'
import type { TwilioCredentials } from '../../adapters/twilio/api.ts'

/** The accounts that the product has at the simulated providers. */
export interface SandboxAccounts {
  telegram: TelegramCredentials & { botId: number; botName: string; title: string }
  twilio: TwilioCredentials & { number: string; title: string }
  meta: MetaAccount
}

/** One Meta app, with a WhatsApp number and a Facebook page. */
export interface MetaAccount {
  title: string
  whatsapp: WhatsAppCredentials & { phoneNumberId: string; number: string }
  messenger: MessengerCredentials & { appId: string; pageId: string }
}

/** The same secret gives the same accounts, so that credentials kept by the product outlive a restart. */
export function sandboxAccounts(secret: string): SandboxAccounts {
  const derived = (label: string): Buffer => createHmac('sha256', secret).update(`sandbox ${label}`).digest()
  const botId = 100_000_000 + (derived('bot id').readUInt32BE(0) % 900_000_000)
  const graphId = (label: string): string => `10${derived(label).readBigUInt64BE(0) % 10n ** 13n}`
  const app = {
    appSecret: derived('app secret').toString('hex').slice(0, 32),
    verifyToken: derived('verify token').toString('hex').slice(0, 32),
    graphVersion: 'v26.0',
  }
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
    meta: {
      title: 'Nexus Café',
      whatsapp: {
        ...app,
        accessToken: `EAAW${derived('whatsapp token').toString('hex')}`,
        businessAccountId: graphId('whatsapp account'),
        phoneNumberId: graphId('phone number id'),
        number: '+15550002222',
      },
      messenger: {
        ...app,
        accessToken: `EAAM${derived('page token').toString('hex')}`,
        appId: graphId('app id'),
        pageId: graphId('page id'),
      },
    },
  }
}
