import { eventually } from '../support/eventually.ts'
import type { Server, Stage } from './stage.ts'
import { median, spread, turns } from './statistics.ts'
import type { Latency } from './watch.ts'

const CONVERSATIONS = 500
const SENT_WITHIN_MS = 300_000

interface Taken {
  messages: number
  doubled: number
  lastTakenAt: number
}
interface Run {
  rate: number
  acceptedRate: number
  cpu: Record<string, number>
}

/** Replies through the API, as fast as they are accepted, until the provider (50 ms an answer) has taken the last one. */
export async function measureOutbound(stage: Stage): Promise<string[]> {
  const { messages, repeats } = stage.options
  const conversations = await conversationsOf(stage)
  const runs: Record<Server, Run[]> = { floor: [], product: [] }
  for (const server of turns(repeats)) runs[server].push(await send(stage, server, conversations))
  const rates = (server: Server) => runs[server].map(({ rate }) => rate)
  const accepted = (server: Server) => runs[server].map(({ acceptedRate }) => acceptedRate)
  const ratio = median(rates('product')) / median(rates('floor'))
  return [
    `outbound, ${messages} replies in ${conversations.length} conversations, provider answering in 50 ms, messages a second:`,
    `  sent      floor ${spread(rates('floor'), 0)}   product ${spread(rates('product'), 0)}   ratio ${ratio.toFixed(2)}`,
    `  accepted  floor ${spread(accepted('floor'), 0)}   product ${spread(accepted('product'), 0)}`,
    ...(['floor', 'product'] as const).map((server) => {
      const of = (who: string) => median(runs[server].map(({ cpu }) => cpu[who] ?? 0))
      return `  CPU, percent of one core, ${server}: server ${of('server')}, generator ${of('generator')}, provider ${of('provider')}`
    }),
  ]
}

/** Customers who wrote once, so that they can be answered. */
async function conversationsOf(stage: Stage): Promise<string[]> {
  const { ids } = await stage.product.conversations()
  if (ids.length === 0) {
    await stage.inbound('product', 'openLoop', { rate: 200, warmSeconds: 0, seconds: CONVERSATIONS / 200 })
    return conversationsOf(stage)
  }
  return ids
}

async function send(stage: Stage, server: Server, conversations: string[]): Promise<Run> {
  const prefix = `${stage.nextRun()} `
  const requests = Array.from({ length: stage.options.messages }, (_, number) => {
    const clientId = `${prefix}${number}`
    const text = `${clientId} is on its way and arrives today`
    const conversation = conversations[number % conversations.length]
    return server === 'floor'
      ? { path: '/replies', body: { clientId, to: '+12025550100', text } }
      : {
          path: `/api/v1/conversations/${conversation}/messages`,
          body: { clientId, content: { type: 'text', text } },
        }
  })
  const meter = stage.cpuMeter(server)
  const { errors, beganAt, seconds } = await stage.generator.ask<{
    errors: number
    beganAt: number
    seconds: number
    answered: Latency
  }>('replies', {
    url: server === 'floor' ? stage.floorUrl : stage.product.node.url,
    tokens: server === 'floor' ? [''] : stage.tokens,
    requests,
  })
  const taken = () => stage.provider.ask<Taken>('taken', { prefix })
  await eventually(async () => (await taken()).messages >= requests.length - errors, SENT_WITHIN_MS).catch(
    () => {},
  )
  const cpu = meter()
  const { messages, doubled, lastTakenAt } = await taken()
  const lost = requests.length - errors - messages
  if (errors + lost + doubled > 0)
    stage.failures.push(`${server}, outbound: ${errors} errors, ${lost} never sent, ${doubled} sent twice`)
  return { rate: messages / ((lastTakenAt - beganAt) / 1000), acceptedRate: messages / seconds, cpu }
}
