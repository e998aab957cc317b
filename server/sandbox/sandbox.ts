import { type RequestHandler, Router } from 'express'
import { consoleRouter } from './console.ts'
import { graphRouter } from './meta/graph.ts'
import { Page } from './meta/messenger/page.ts'
import { Subscriptions } from './meta/subscriptions.ts'
import { WhatsAppNumber } from './meta/whatsapp/number.ts'
import { phonesRouter } from './phones.ts'
import type { AccountsView } from './protocol.ts'
import { answerRefusals } from './refusal.ts'
import { type SandboxOptions, Stage } from './stage.ts'
import { telegramRouter } from './telegram/api.ts'
import { Bot } from './telegram/bot.ts'
import { twilioRouter } from './twilio/api.ts'
import { Carrier } from './twilio/carrier.ts'

export type { SandboxOptions } from './stage.ts'

export interface Sandbox {
  /**
   * To be mounted at `/sandbox`, before anything that reads bodies. `/api` is the phones' and the console's; what else there
   * is are the providers' APIs, each named as its provider (their `apiBase`).
   */
  router: Router
  /** Resolves when no webhook is under way or planned. */
  idle(): Promise<void>
  close(): Promise<void>
}

/** Simulators of every provider we speak, for one account each: the product cannot tell them from the real ones. */
export function createSandbox(options: SandboxOptions): Sandbox {
  const stage = new Stage(options)
  const bot = new Bot(stage)
  const carrier = new Carrier(stage)
  const subscriptions = new Subscriptions(stage)
  const whatsapp = new WhatsAppNumber(stage, subscriptions)
  const messenger = new Page(stage, subscriptions)
  const lines = { telegram: bot, sms: carrier, whatsapp, messenger }
  const router = Router()
  router.use('/telegram', telegramRouter(bot, stage))
  router.use('/twilio', twilioRouter(carrier, stage))
  router.use('/meta', graphRouter({ stage, subscriptions, whatsapp, messenger }))
  router.use('/api', refuseOtherSites)
  router.use('/api/handsets', phonesRouter(stage, lines))
  router.use('/api', consoleRouter(stage, accounts))
  router.use('/api', answerRefusals)
  function accounts(): AccountsView {
    const { telegram, twilio, meta } = stage.accounts
    return {
      telegram: { botName: telegram.botName, title: telegram.title, webhook: bot.feed.webhook !== undefined },
      sms: { number: twilio.number, title: twilio.title, webhook: carrier.smsUrl !== undefined },
      whatsapp: {
        number: meta.whatsapp.number,
        title: meta.title,
        webhook: subscriptions.of('whatsapp') !== undefined,
      },
      messenger: {
        pageId: meta.messenger.pageId,
        title: meta.title,
        webhook: subscriptions.of('messenger') !== undefined,
      },
    }
  }
  return { router, idle: () => stage.tasks.idle(), close: () => stage.close() }
}

/** The page needs no sign-in, so no other site's page may speak through a visitor's browser. */
const refuseOtherSites: RequestHandler = (request, response, next) => {
  const site = request.get('sec-fetch-site')
  if (site === 'cross-site') response.status(403).json({ detail: 'Only the sandbox page may do that.' })
  else next()
}
