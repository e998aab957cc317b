import type { ContactContent, ListContent, TemplateContent, TextContent } from '../../../models/content.ts'
import type { OutboundMessage } from '../../adapter.ts'
import { toMarkup } from '../../whatsapp/markup.ts'
import { LIMITS } from './capabilities.ts'

/**
 * What a message says, as the Cloud API wants it said: the field `type`, and the object of that name.
 * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
 */
export type Body = { type: string } & Record<string, unknown>

/** Contents that are no files; files are in `media.ts`. Null for what WhatsApp does not carry. */
export function bodyOf(content: OutboundMessage['content']): Body | null {
  switch (content.type) {
    case 'text':
      return textBody(content)
    case 'location': {
      const { latitude, longitude, name, address } = content
      const place = { latitude, longitude, ...(name && { name }), ...(address && { address }) }
      return { type: 'location', location: place }
    }
    case 'contact':
      return contactBody(content)
    case 'buttons':
      return interactive({
        type: 'button',
        body: { text: content.text },
        action: { buttons: content.buttons.map((reply) => ({ type: 'reply', reply })) },
      })
    case 'list':
      return listBody(content)
    case 'template':
      return templateBody(content)
    case 'reaction':
      return { type: 'reaction', reaction: { message_id: content.providerId, emoji: content.emoji } }
    default:
      return null
  }
}

const interactive = (one: object): Body => ({ type: 'interactive', interactive: one })

/** Markers count as characters: words that only just fit go without. */
function textBody(content: TextContent): Body {
  const marked = toMarkup(content)
  const body = marked.length > LIMITS.text ? content.text : marked
  return { type: 'text', text: { body, preview_url: /https?:\/\//.test(body) } }
}

function contactBody({ name, phones }: ContactContent): Body {
  const card = {
    name: { formatted_name: name, first_name: name },
    phones: phones.map((phone) => ({
      phone,
      type: 'MOBILE',
      // With it the card offers to write to them.
      ...(/^\+\d{6,20}$/.test(phone) && { wa_id: phone.slice(1) }),
    })),
  }
  return { type: 'contacts', contacts: [card] }
}

/** Where there are several sections each needs a title. */
function listBody({ text, button, sections }: ListContent): Body {
  const titled = sections.length === 1 || sections.every(({ title }) => title)
  const shown = titled ? sections : [{ rows: sections.flatMap(({ rows }) => rows) }]
  return interactive({
    type: 'list',
    body: { text },
    action: {
      button: clip(button, LIMITS.listButton),
      sections: shown.map(({ title, rows }: ListContent['sections'][number]) => ({
        ...(title && { title: clip(title, LIMITS.sectionTitle) }),
        rows: rows.map(({ id, title, description }) => ({
          id,
          title,
          ...(description && { description: clip(description, LIMITS.rowDescription) }),
        })),
      })),
    },
  })
}

function templateBody({ name, language, parameters, names = [] }: TemplateContent): Body {
  const filled = parameters.map((text, index) => ({
    type: 'text',
    text,
    ...(names[index] !== undefined && { parameter_name: names[index] }),
  }))
  const components = filled.length > 0 ? [{ type: 'body', parameters: filled }] : []
  return { type: 'template', template: { name, language: { code: language }, components } }
}

const clip = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1).trimEnd()}…` : text
