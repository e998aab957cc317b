import { z } from 'zod'
import type { Template } from '../adapter.ts'
import { below } from '../addresses.ts'
import { API_BASE, ask, type TwilioCall } from './api.ts'

/** Twilio's Content API: what is more than words is made there first, and sent by its name. */

/** A gateway or simulator serves all of Twilio's hosts at its one address. */
const contentBase = ({ apiBase }: TwilioCall): string =>
  apiBase === API_BASE ? 'https://content.twilio.com' : apiBase

const Made = z.object({ sid: z.string().regex(/^HX[0-9a-fA-F]{32}$/) })

/** Makes a content and answers with its name. @throws CallFailed @see https://www.twilio.com/docs/content/content-api-resources */
export async function createContent(types: Record<string, object>, call: TwilioCall): Promise<string> {
  const json = { friendly_name: 'nexus-inbox', language: 'en', types }
  const made = await ask(call, { url: below(contentBase(call), 'v1/Content'), json }, Made)
  return made.sid
}

const Page = z.object({
  contents: z.array(
    z.object({
      sid: z.string(),
      language: z.string(),
      types: z.record(z.string(), z.looseObject({ body: z.string().optional() })),
      approval_requests: z.object({ status: z.string(), category: z.string().optional() }).nullish(),
    }),
  ),
  meta: z.object({ next_page_url: z.string().nullish() }).nullish(),
})

const STATUSES: Record<string, Template['status']> = {
  approved: 'approved',
  rejected: 'rejected',
  paused: 'paused',
  disabled: 'paused',
}
const PAGE = 500

/** What WhatsApp approved. A template goes by its `HX…`; its words are its body. @throws CallFailed */
export async function templates(call: TwilioCall): Promise<Template[]> {
  const url = below(contentBase(call), `v1/ContentAndApprovals?PageSize=${PAGE}`)
  const { contents } = await ask(call, { url }, Page)
  return contents.flatMap(({ sid, language, types, approval_requests: approval }): Template[] => {
    const text = Object.values(types).find(({ body }) => body !== undefined)?.body
    if (text === undefined || !approval) return []
    const status = Object.hasOwn(STATUSES, approval.status) ? STATUSES[approval.status] : undefined
    return [{ name: sid, language, text, category: approval.category ?? '', status: status ?? 'pending' }]
  })
}
