import { fileView, kindOfFile } from '../../files.ts'
import type { BubbleContent, OfferedChoice } from '../../protocol.ts'
import type { Stage } from '../../stage.ts'
import { GraphRefusal } from '../errors.ts'
import type { Send } from './shapes.ts'

type Message = Send['message']
type Template = Extract<NonNullable<Message['attachment']>, { type: 'template' }>['payload']

const MAX_BYTES = 25 * 1_048_576

/** A message of the product's as the phone shows it. Files are fetched at once. @throws GraphRefusal */
export async function contentOf(message: Message, stage: Stage, isProducts: (url: string) => boolean) {
  const { text, attachment, quick_replies } = message
  if (text !== undefined) {
    if (!quick_replies) return { type: 'text', text } satisfies BubbleContent
    const choices = quick_replies.map(({ title, payload }) => ({ id: payload, title }))
    return { type: 'offer', as: 'replies', text, choices } satisfies BubbleContent
  }
  if (attachment?.type === 'template') return offerContent(attachment.payload)
  const url = attachment?.payload.url ?? ''
  const file = isProducts(url) ? await stage.courier.fetch(url, MAX_BYTES) : undefined
  if (!file) throw new GraphRefusal(400, 100, 'Failed to fetch the file from the url', 2018008)
  const stored = stage.files.add(nameIn(url, file.mime), file.mime, file.bytes)
  return {
    type: 'file',
    kind: attachment?.type === 'file' ? 'document' : kindOfFile(file.mime),
    file: fileView(stored),
  } satisfies BubbleContent
}

function offerContent(template: Template): BubbleContent {
  switch (template.template_type) {
    case 'button':
      return {
        type: 'offer',
        as: 'buttons',
        text: template.text,
        choices: template.buttons.flatMap((one) =>
          one.type === 'postback' ? [{ id: one.payload, title: one.title }] : [],
        ),
      }
    case 'generic': {
      const [first, ...cards] = template.elements
      const [heading, rest] = first?.buttons?.length ? ['', template.elements] : [lines(first), cards]
      return {
        type: 'offer',
        as: 'cards',
        text: heading,
        button: rest[0]?.buttons?.[0]?.title ?? '',
        choices: rest.flatMap(cardChoice),
      }
    }
  }
}

type Card = Extract<Template, { template_type: 'generic' }>['elements'][number]

const lines = (card: Card | undefined): string =>
  card ? [card.title, card.subtitle].filter(Boolean).join(' ') : ''

function cardChoice({ title, subtitle, buttons = [] }: Card): OfferedChoice[] {
  const [button] = buttons
  if (button?.type !== 'postback') return []
  return [{ id: button.payload, title, ...(subtitle && { description: subtitle }) }]
}

const nameIn = (url: string, mime: string): string => {
  const last = decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '')
  return last.includes('.') ? last : `file.${mime.split('/')[1] ?? 'bin'}`
}

/** What the visitor wrote, as a webhook tells it. @see https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks */
export function told(content: BubbleContent, cdn: string): Record<string, unknown> {
  switch (content.type) {
    case 'text':
    case 'notice':
    case 'offer':
      return { text: content.text }
    case 'location': {
      const coordinates = { lat: content.latitude, long: content.longitude }
      const title = content.name ?? 'Pinned location'
      return { attachments: [{ title, type: 'location', payload: { coordinates } }] }
    }
    case 'contact':
      return { text: `${content.name} ${content.phone}` }
    case 'file': {
      const { kind, file, caption } = content
      const type = kind === 'voice' ? 'audio' : kind === 'document' ? 'file' : kind
      const url = `${cdn}/cdn/${file.id}/${encodeURIComponent(file.name)}`
      return { ...(caption && { text: caption }), attachments: [{ type, payload: { url } }] }
    }
  }
}
