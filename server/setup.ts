import { randomBytes } from 'node:crypto'
import { Agent } from '../models/agent.ts'
import type { Channel, Provider } from '../models/channels.ts'
import { isDuplicateKey } from '../models/identity.ts'
import type { WorkspaceId } from '../models/ids.ts'
import { Route, type RouteDoc } from '../models/route.ts'
import type { Vault } from '../models/vault.ts'
import { Workspace, type WorkspaceDoc } from '../models/workspace.ts'
import { hashPassword } from './auth/passwords.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import type { Parts } from './parts.ts'
import type { SandboxAccounts } from './sandbox/accounts.ts'

/** The first admin, where this start made one. `password` is set only where it was drawn here: shown once, kept nowhere. */
export interface FirstAdmin {
  email: string
  password?: string
}

/** Always the same, so that of two nodes starting at the same moment the second finds what the first one made. */
const FIRST_WORKSPACE = '01900000-0000-7000-8000-000000000000' as WorkspaceId

/** The workspace of this installation; the first start makes it. */
export async function firstWorkspace(clock: Clock): Promise<WorkspaceDoc> {
  const find = () => Workspace.findOne({}).sort({ createdAt: 1 }).lean<WorkspaceDoc>()
  const found = await find()
  if (found) return found
  const workspace: WorkspaceDoc = { _id: FIRST_WORKSPACE, name: 'My workspace', createdAt: clock.now() }
  try {
    await Workspace.create(workspace)
  } catch (error) {
    if (!isDuplicateKey(error)) throw error
  }
  return (await find()) ?? workspace
}

/** Makes the first admin where nobody can sign in yet. Null where somebody can. */
export async function firstAdmin(
  workspace: WorkspaceId,
  config: Config,
  clock: Clock,
): Promise<FirstAdmin | null> {
  if (await Agent.exists({ workspace })) return null
  const password = config.adminPassword ?? randomBytes(12).toString('base64url')
  try {
    await Agent.invite({
      workspace,
      email: config.adminEmail,
      name: 'Admin',
      role: 'admin',
      passwordHash: await hashPassword(password),
      at: clock.now(),
    })
  } catch (error) {
    if (isDuplicateKey(error)) return null // another node, starting at the same moment, was first
    throw error
  }
  return { email: config.adminEmail, ...(config.adminPassword ? {} : { password }) }
}

/**
 * The sandbox's accounts as inboxes, made at the first start with the sandbox on, and led to where it listens now with the
 * accounts it has now: those come from the secret, and change when that is rotated.
 */
export async function connectSandbox(
  workspace: WorkspaceId,
  accounts: SandboxAccounts,
  url: string,
  connect: Parts['connectInbox'],
  vault: Vault,
): Promise<void> {
  const { telegram, twilio, meta } = accounts
  const { phoneNumberId, number: _, ...whatsapp } = meta.whatsapp
  const { pageId, ...messenger } = meta.messenger
  const wanted: {
    name: string
    channel: Channel
    provider: Provider
    sender: string
    credentials: unknown
  }[] = [
    {
      name: 'Telegram (sandbox)',
      channel: 'telegram',
      provider: 'telegram',
      sender: '',
      credentials: { token: telegram.token, webhookSecret: telegram.webhookSecret },
    },
    {
      name: 'SMS (sandbox)',
      channel: 'sms',
      provider: 'twilio',
      sender: twilio.number,
      credentials: { accountSid: twilio.accountSid, authToken: twilio.authToken },
    },
    {
      name: 'WhatsApp (sandbox)',
      channel: 'whatsapp',
      provider: 'meta',
      sender: phoneNumberId,
      credentials: whatsapp,
    },
    {
      name: 'Messenger (sandbox)',
      channel: 'messenger',
      provider: 'meta',
      sender: pageId,
      credentials: messenger,
    },
  ]
  for (const { name, channel, ...route } of wanted) {
    const apiBase = `${url}/sandbox/${route.provider}/`
    const { provider } = route
    const known = await Route.find({ workspace, channel, provider, apiBase: { $exists: true } }).lean<
      RouteDoc[]
    >()
    const ours = known.filter((each) => each.apiBase?.endsWith(`/sandbox/${route.provider}/`))
    const { sender, credentials } = route
    for (const { _id } of ours) await Route.lead(workspace, _id, { apiBase, sender, credentials }, vault)
    if (ours.length === 0) await connect({ workspace, name, channel, routes: [{ ...route, apiBase }] })
  }
}
