import { z } from 'zod'
import type { Choice, ListContent } from '../../models/content.ts'

/** What a button may carry back, in bytes. @see https://core.telegram.org/bots/api#inlinekeyboardbutton */
const MAX_DATA = 64

/** A choice whose name is too long for a button goes by its place; its words tell which one it was (`models/offers.ts`). */
const dataOf = ({ id }: Choice, place: number): string =>
  Buffer.byteLength(id) <= MAX_DATA ? id : `~${place + 1}`

/** One button a row: words stay whole on a phone. */
export const inlineKeyboard = (choices: Choice[]) => ({
  inline_keyboard: choices.map((choice, place) => [
    { text: choice.title, callback_data: dataOf(choice, place) },
  ]),
})

/** Above the keyboard, until one is tapped: it comes back as the text it says. */
export const replyKeyboard = (choices: Choice[]) => ({
  keyboard: choices.map(({ title }) => [{ text: title }]),
  one_time_keyboard: true,
  resize_keyboard: true,
})

/** A menu as words over buttons: Telegram has no list, and its buttons no second line. */
export const menuText = ({ text, sections }: ListContent): string => {
  const described = sections.flatMap(({ title, rows }) => [
    ...(title ? [`\n${title}`] : []),
    ...rows.flatMap(({ title, description }) => (description ? [`${title}: ${description}`] : [])),
  ])
  return described.length > 0 ? `${text}\n${described.join('\n')}` : text
}

export const Keyboard = z.object({
  inline_keyboard: z
    .array(z.array(z.object({ text: z.string(), callback_data: z.string().optional() })))
    .optional(),
})

/** What the tapped button says, as the message it stands under still shows it. */
export const titleOf = (keyboard: z.infer<typeof Keyboard> | undefined, data: string): string | undefined =>
  keyboard?.inline_keyboard?.flat().find((button) => button.callback_data === data)?.text
