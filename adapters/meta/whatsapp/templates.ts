import { z } from 'zod'
import type { Template } from '../../adapter.ts'
import { ask } from '../graph.ts'
import { Many } from '../reading.ts'
import type { WhatsAppCall } from './account.ts'
import { WHATSAPP_CODES } from './errors.ts'

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview */

const PER_PAGE = 100
/** An account has at most 6,000 templates; nobody scrolls through more than this. */
const MAX_PAGES = 10

const Page = z.object({
  data: z.array(z.unknown()),
  paging: z
    .object({
      cursors: z.object({ after: z.string().optional() }).optional(),
      next: z.string().optional(),
    })
    .optional()
    .catch(undefined),
})
const Words = z.string().optional().catch(undefined)
const Listed = z.object({
  name: z.string().min(1),
  language: z.string().min(2),
  category: z.string(),
  status: z.string(),
  components: z.array(
    z.object({
      type: z.string(),
      format: Words,
      text: Words,
      buttons: Many,
    }),
  ),
})
const Button = z.object({ type: z.string(), url: Words })
type Listed = z.infer<typeof Listed>

/** The account's templates that can be sent by filling the blanks of their text. */
export async function templates(call: WhatsAppCall): Promise<Template[]> {
  const found: Template[] = []
  let after: string | undefined
  for (let page = 0; page < MAX_PAGES; page++) {
    const { data, paging } = await ask(
      call,
      WHATSAPP_CODES,
      {
        path: `${call.credentials.businessAccountId}/message_templates`,
        query: {
          fields: 'name,language,category,status,components',
          limit: String(PER_PAGE),
          ...(after !== undefined && { after }),
        },
      },
      Page,
    )
    found.push(...data.flatMap((one) => templateOf(one) ?? []))
    after = paging?.cursors?.after
    if (!paging?.next || after === undefined) break
  }
  return found
}

function templateOf(raw: unknown): Template | undefined {
  const listed = Listed.safeParse(raw).data
  const status = listed && STATUSES[listed.status]
  const text = listed?.components.find(({ type }) => type === 'BODY')?.text
  if (!listed || !status || text === undefined || !isFilledByText(listed)) return undefined
  const { name, language, category } = listed
  return { name, language, text, category: category.toLowerCase(), status }
}

const STATUSES: Readonly<Record<string, Template['status']>> = {
  APPROVED: 'approved',
  PENDING: 'pending',
  IN_APPEAL: 'pending',
  REJECTED: 'rejected',
  DISABLED: 'rejected',
  PAUSED: 'paused',
  LIMIT_EXCEEDED: 'paused',
}

/** Pictures in the header, codes to copy, addresses with a blank: those want more than words for the text. */
const isFilledByText = ({ category, components }: Listed): boolean =>
  category !== 'AUTHENTICATION' &&
  components.every(({ type, format, text, buttons }) => {
    switch (type) {
      case 'BODY':
      case 'FOOTER':
        return true
      case 'HEADER':
        return format === 'TEXT' && !hasBlank(text)
      case 'BUTTONS':
        return buttons.every(isFixed)
      default:
        return false
    }
  })

const FIXED_BUTTONS = new Set(['QUICK_REPLY', 'PHONE_NUMBER', 'URL'])

function isFixed(raw: unknown): boolean {
  const button = Button.safeParse(raw).data
  return button !== undefined && FIXED_BUTTONS.has(button.type) && !hasBlank(button.url)
}

const hasBlank = (text: string | undefined): boolean => text?.includes('{{') ?? false
