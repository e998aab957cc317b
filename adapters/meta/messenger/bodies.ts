import type { ListContent, MediaContent, MediaType, TextContent } from '../../../models/content.ts'
import type { OutboundMessage } from '../../adapter.ts'
import type { MessengerCall } from './account.ts'
import { LIMITS } from './capabilities.ts'

/**
 * What a message says, as the Send API wants it said.
 * @see https://developers.facebook.com/docs/messenger-platform/reference/send-api
 */
export type Body = { text: string; quick_replies?: object[] } | { attachment: object }

/** Null for what Messenger does not carry. */
export function bodyOf(content: OutboundMessage['content'], call: MessengerCall): Body | null {
  switch (content.type) {
    case 'text':
      return { text: spelledOut(content) }
    case 'image':
    case 'audio':
    case 'voice':
    case 'video':
    case 'document':
    case 'sticker':
      return fileBody(content, call)
    case 'buttons':
      return template({
        template_type: 'button',
        text: content.text,
        buttons: content.buttons.map(({ id, title }) => ({ type: 'postback', title, payload: id })),
      })
    case 'quick-replies':
      return { text: content.text, quick_replies: content.replies.map(quickReply) }
    case 'list':
      return listBody(content)
    default:
      return null
  }
}

const template = (payload: object): Body => ({ attachment: { type: 'template', payload } })
const quickReply = ({ id, title }: { id: string; title: string }): object => ({
  content_type: 'text',
  title,
  payload: id,
})

/** Messenger has no formatting; a link behind words would be lost, so it stands beside them. */
function spelledOut({ text, marks = [] }: TextContent): string {
  const links = marks
    .filter(({ url, start, end }) => url !== undefined && text.slice(start, end) !== url)
    .sort((one, other) => other.end - one.end)
  const spelled = links.reduce((all, { end, url }) => `${all.slice(0, end)} (${url})${all.slice(end)}`, text)
  return spelled.length > LIMITS.text ? text : spelled
}

const ATTACHMENTS: Readonly<Record<MediaType, string>> = {
  image: 'image',
  sticker: 'image',
  audio: 'audio',
  voice: 'audio',
  video: 'video',
  document: 'file',
}

function fileBody({ type, file }: MediaContent, { media }: MessengerCall): Body | null {
  if (file.state !== 'stored') return null
  return { attachment: { type: ATTACHMENTS[type], payload: { url: media.url(file.id) } } }
}

/**
 * Messenger has no lists. Short rows are quick replies, what more they say stands in the text; rows that want a line of
 * their own are cards to swipe through, the first of which says what it is about; else the rows are numbered in the text,
 * and the quick replies are the numbers.
 */
function listBody(list: ListContent): Body {
  const rows = list.sections.flatMap((section) => section.rows)
  if (rows.every(({ title }) => title.length <= LIMITS.quickReplyTitle))
    return { text: withDescriptions(list.text, rows), quick_replies: rows.map(quickReply) }
  if (rows.length < LIMITS.cards && list.text.length <= 2 * LIMITS.cardLine)
    return template({
      template_type: 'generic',
      elements: [heading(list.text), ...rows.map((row) => card(row, list.button))],
    })
  const lines = rows.map(({ title }, index) => `${index + 1}. ${title}`).join('\n')
  return {
    text: `${list.text}\n\n${lines}`,
    quick_replies: rows.map(({ id }, index) => quickReply({ id, title: String(index + 1) })),
  }
}

type Row = ListContent['sections'][number]['rows'][number]

function withDescriptions(text: string, rows: Row[]): string {
  const described = rows.filter(({ description }) => description)
  if (described.length === 0) return text
  const lines = described.map(({ title, description }) => `${title}: ${description}`).join('\n')
  const whole = `${text}\n\n${lines}`
  return whole.length > LIMITS.text ? text : whole
}

/** A card has two lines, and the second may not be empty where nothing else is on it. */
function heading(text: string): object {
  const at = text.length <= LIMITS.cardLine ? text.length : cutAt(text)
  return { title: text.slice(0, at).trim(), subtitle: text.slice(at).trim() || '↓' }
}

function cutAt(text: string): number {
  const space = text.lastIndexOf(' ', LIMITS.cardLine)
  return space > 0 && text.length - space <= LIMITS.cardLine ? space : LIMITS.cardLine
}

const card = ({ id, title, description }: Row, button: string): object => ({
  title,
  ...(description && { subtitle: description.slice(0, LIMITS.cardLine) }),
  buttons: [{ type: 'postback', title: button.slice(0, LIMITS.buttonTitle), payload: id }],
})
