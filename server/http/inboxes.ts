import { z } from 'zod'
import { CallFailed, listsTemplates, probesAccount, registersWebhook } from '../../adapters/adapter.ts'
import { adapterFor, adapters, UnknownAdapter } from '../../adapters/registry.ts'
import { confinedTo, maySee } from '../../models/agent.ts'
import { CHANNELS, PROVIDERS } from '../../models/channels.ts'
import type { InboxId } from '../../models/ids.ts'
import { Inbox, type InboxDoc } from '../../models/inbox.ts'
import { RouteHealth, type RouteHealthDoc } from '../../models/route-health.ts'
import type { OpenRoute } from '../directory.ts'
import { notFound, Refusal } from '../errors.ts'
import type { Parts } from '../parts.ts'
import type { RouteHealthView } from '../realtime/protocol.ts'
import { inboxView, providerView, routeHealthView } from '../views.ts'
import { created, type Endpoint, endpoint, ok, uuid } from './endpoint.ts'

const routeShape = z.strictObject({
  provider: z.enum(PROVIDERS),
  credentials: z.record(z.string(), z.unknown()),
  sender: z.string().trim().max(100).default(''),
  apiBase: z.url({ protocol: /^https?$/ }).optional(),
})

/** The connected addresses. */
export function inboxes(
  parts: Pick<Parts, 'broadcasts' | 'clock' | 'connectInbox' | 'directory' | 'providers' | 'log'>,
): Endpoint[] {
  const { broadcasts, connectInbox, directory, providers, log } = parts
  const webhookUrl = (open: OpenRoute) => providers.webhookUrl(open)
  /** The account asked for its name, as a sign that its credentials are still good. */
  async function accountOf(open: OpenRoute): Promise<RouteHealthView['account']> {
    if (!probesAccount(open.adapter)) return null
    try {
      const { name } = await open.adapter.probe(providers.call(open))
      return { ok: true, name }
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error
      return { ok: false, reason: error.message }
    }
  }
  return [
    endpoint({
      method: 'get',
      path: '/inboxes',
      summary: 'The inboxes I work in',
      access: 'agent',
      answers: { 200: { description: 'All of them, by name', schema: 'InboxList' } },
      async handle({ agent }) {
        const confined = confinedTo(agent)
        const found = await Inbox.find({
          workspace: agent.workspace,
          ...(confined ? { _id: { $in: confined } } : {}),
        })
          .sort({ name: 1 })
          .lean<InboxDoc[]>()
        const open = await Promise.all(found.map(({ _id }) => directory.inbox(_id)))
        return ok({ data: open.filter((each) => each !== null).map((each) => inboxView(each, webhookUrl)) })
      },
    }),
    endpoint({
      method: 'get',
      path: '/inboxes/:id/health',
      summary:
        'How the inbox is doing: each route’s account asked now, its webhook, its last traffic, today’s errors',
      access: 'admin',
      shapes: { params: z.object({ id: uuid<InboxId>() }) },
      answers: { 200: { description: 'Route by route', schema: 'InboxHealth' } },
      async handle({ agent, params }) {
        const open = await directory.inbox(params.id)
        if (open?.inbox.workspace !== agent.workspace) throw notFound('inbox')
        const known = await RouteHealth.find({
          workspace: agent.workspace,
          _id: { $in: open.routes.map(({ route }) => route._id) },
        }).lean<RouteHealthDoc[]>()
        const today = parts.clock.now().toISOString().slice(0, 10)
        const routes = await Promise.all(
          open.routes.map(async (each) =>
            routeHealthView(
              each,
              known.find(({ _id }) => _id === each.route._id),
              { webhookUrl: webhookUrl(each), reachable: providers.canCallUs(each), today },
              await accountOf(each),
            ),
          ),
        )
        return ok({ routes })
      },
    }),
    endpoint({
      method: 'get',
      path: '/inboxes/:id/templates',
      summary: 'The texts that the inbox’s provider approved, asked of it now',
      access: 'agent',
      shapes: { params: z.object({ id: uuid<InboxId>() }) },
      answers: {
        200: { description: 'Empty where the channel has none', schema: 'TemplateList' },
        502: { description: 'The provider did not tell', schema: 'Problem' },
      },
      async handle({ agent, params }) {
        const open = maySee(agent, params.id) ? await directory.inbox(params.id) : null
        if (open?.inbox.workspace !== agent.workspace) throw notFound('inbox')
        for (const route of open.routes) {
          if (!listsTemplates(route.adapter)) continue
          try {
            return ok({ data: await route.adapter.templates(providers.call(route)) })
          } catch (error) {
            if (!(error instanceof CallFailed)) throw error
            throw new Refusal(
              'provider_refused',
              `${route.adapter.title} did not tell its templates: ${error.message}`,
            )
          }
        }
        return ok({ data: [] })
      },
    }),
    endpoint({
      method: 'get',
      path: '/providers',
      summary: 'What can be connected, and what each asks for',
      access: 'admin',
      answers: { 200: { description: 'All of them, by channel', schema: 'ProviderList' } },
      async handle() {
        return ok({ data: adapters().map(providerView) })
      },
    }),
    endpoint({
      method: 'post',
      path: '/inboxes',
      summary:
        'Connect an inbox with its routes: tried for real, and its webhook set where the provider lets us',
      access: 'admin',
      shapes: {
        body: z.strictObject({
          name: z.string().trim().min(1).max(100),
          channel: z.enum(CHANNELS),
          routes: z.array(routeShape).min(1).max(10),
        }),
      },
      answers: {
        201: { description: 'Connected', schema: 'Inbox' },
        502: { description: 'The provider refused the credentials', schema: 'Problem' },
      },
      async handle({ agent, body }) {
        const routes = body.routes.map((route, index) => ({
          ...route,
          credentials: credentialsOf(route, body.channel, index),
        }))
        for (const route of routes) await probe(parts, route, body.channel)
        const id = await connectInbox({
          workspace: agent.workspace,
          name: body.name,
          channel: body.channel,
          routes,
        })
        const open = await directory.inbox(id)
        if (!open) throw new Error('an inbox vanished as it was connected')
        for (const route of open.routes) await setWebhook(parts, route)
        broadcasts.inboxesChanged(agent.workspace)
        log.info({ event: 'inbox.connected', inbox: id, channel: body.channel, routes: routes.length })
        return created(inboxView(open, webhookUrl))
      },
    }),
  ]
}

type NewRoute = z.output<typeof routeShape>

/** The credentials in the shape their provider's adapter asks for; wrong ones are named by their field. */
function credentialsOf(route: NewRoute, channel: (typeof CHANNELS)[number], index: number): unknown {
  try {
    const parsed = adapterFor(route.provider, channel).credentials.safeParse(route.credentials)
    if (parsed.success) return parsed.data
    const errors = parsed.error.issues.map((issue) => ({
      field: `routes.${index}.credentials.${issue.path.join('.')}`,
      message: issue.message,
    }))
    throw new Refusal('invalid_request', errors.map((each) => `${each.field}: ${each.message}`).join('; '), {
      errors,
    })
  } catch (error) {
    if (!(error instanceof UnknownAdapter)) throw error
    throw new Refusal('invalid_request', error.message, {
      errors: [{ field: `routes.${index}.provider`, message: error.message }],
    })
  }
}

/** Tries the account, so that a wrong token is found now and not by the first customer. */
async function probe(
  { providers }: Pick<Parts, 'providers'>,
  route: Omit<NewRoute, 'credentials'> & { credentials: unknown },
  channel: (typeof CHANNELS)[number],
): Promise<void> {
  const adapter = adapterFor(route.provider, channel)
  if (!probesAccount(adapter)) return
  try {
    await adapter.probe(
      providers.trial({
        credentials: route.credentials,
        sender: route.sender,
        apiBase: route.apiBase ?? adapter.apiBase,
      }),
    )
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error
    throw new Refusal('provider_refused', `${adapter.title} did not accept this: ${error.message}`)
  }
}

/** Tells the provider where to post, where it lets us and can reach us, and notes down how that went. */
export async function setWebhook(
  { clock, log, providers }: Pick<Parts, 'clock' | 'log' | 'providers'>,
  open: OpenRoute,
): Promise<void> {
  if (!registersWebhook(open.adapter) || !providers.canCallUs(open)) return
  const { workspace, _id } = open.route
  const at = clock.now()
  try {
    await open.adapter.registerWebhook(
      providers.webhookUrl(open),
      providers.call(open),
      providers.sharedWebhookUrl(open),
    )
    await RouteHealth.noteWebhook(workspace, _id, { state: 'set', at })
  } catch (error) {
    log.warn({ event: 'webhook.not_set', route: _id, error }, 'the provider did not take our webhook address')
    const reason = error instanceof CallFailed ? error.message : 'It could not be set.'
    await RouteHealth.noteWebhook(workspace, _id, { state: 'failed', reason, at }).catch(() => {})
  }
}
