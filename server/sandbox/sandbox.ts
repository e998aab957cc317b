import { type RequestHandler, Router } from 'express'
import { consoleRouter } from './console.ts'
import { phonesRouter } from './phones.ts'
import { answerRefusals } from './refusal.ts'
import { type SandboxOptions, Stage } from './stage.ts'
import { telegramRouter } from './telegram/api.ts'
import { Bot } from './telegram/bot.ts'
import { twilioRouter } from './twilio/api.ts'
import { Carrier } from './twilio/carrier.ts'

export type { SandboxOptions } from './stage.ts'

export interface Sandbox {
  /**
   * To be mounted at `/sandbox`, before anything that reads bodies. `/telegram` and `/twilio` are the providers' APIs
   * (their `apiBase`), `/api` is the phones' and the console's.
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
  const router = Router()
  router.use('/telegram', telegramRouter(bot, stage))
  router.use('/twilio', twilioRouter(carrier, stage))
  router.use('/api', refuseOtherSites)
  router.use('/api/handsets', phonesRouter(stage, bot, carrier))
  router.use('/api', consoleRouter(stage, bot, carrier))
  router.use('/api', answerRefusals)
  return { router, idle: () => stage.tasks.idle(), close: () => stage.close() }
}

/** The page needs no sign-in, so no other site's page may speak through a visitor's browser. */
const refuseOtherSites: RequestHandler = (request, response, next) => {
  const site = request.get('sec-fetch-site')
  if (site === 'cross-site') response.status(403).json({ detail: 'Only the sandbox page may do that.' })
  else next()
}
