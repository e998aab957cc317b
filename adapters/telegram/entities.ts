import type { MessageEntity } from 'telegraf/types'
import { z } from 'zod'
import type { Mark } from '../../models/content.ts'

/** Our marks and Telegram's entities count alike: UTF-16 units. @see https://core.telegram.org/bots/api#messageentity */

export const Entity = z.object({
  type: z.string(),
  offset: z.int().nonnegative(),
  length: z.int().positive(),
  url: z.string().optional(),
})
type Entity = z.infer<typeof Entity>

const KINDS: Record<string, Mark['kind']> = {
  bold: 'bold',
  italic: 'italic',
  underline: 'underline',
  strikethrough: 'strike',
  code: 'code',
  pre: 'pre',
  blockquote: 'quote',
  expandable_blockquote: 'quote',
  spoiler: 'spoiler',
}

const TYPES: Record<
  Exclude<Mark['kind'], 'link'>,
  'bold' | 'italic' | 'underline' | 'strikethrough' | 'code' | 'pre' | 'blockquote' | 'spoiler'
> = {
  bold: 'bold',
  italic: 'italic',
  underline: 'underline',
  strike: 'strikethrough',
  code: 'code',
  pre: 'pre',
  quote: 'blockquote',
  spoiler: 'spoiler',
}

/** How a text looks; what entities merely point out (addresses, hashtags, commands) is seen without them. */
export function marksOf(text: string, entities: Entity[] | undefined): Mark[] {
  return (entities ?? []).flatMap(({ type, offset, length, url }): Mark[] => {
    const end = offset + length
    if (end > text.length) return []
    if (type === 'text_link')
      return url !== undefined && /^https?:\/\//i.test(url) && URL.canParse(url)
        ? [{ kind: 'link', start: offset, end, url }]
        : []
    const kind = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined
    return kind ? [{ kind, start: offset, end }] : []
  })
}

/** Undefined where the text is plain. */
export function entitiesOf(marks: Mark[] | undefined): MessageEntity[] | undefined {
  if (!marks?.length) return undefined
  return marks.flatMap(({ kind, start, end, url }): MessageEntity[] => {
    const place = { offset: start, length: end - start }
    if (kind === 'link') return url === undefined ? [] : [{ type: 'text_link', ...place, url }]
    return [{ type: TYPES[kind], ...place } as MessageEntity]
  })
}
