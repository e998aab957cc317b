import { TelegramError } from 'telegraf'
import { outcomeOfFailure } from '../http.ts'
import {
  type Accepted,
  needsAttention,
  type Outcome,
  rateLimited,
  rejected,
  unavailable,
  uncertain,
} from '../outcomes.ts'

type Failure = Exclude<Outcome, Accepted>

/** The answer was no Bot API answer: a gateway's page, a cut body, something else listening there. */
export class NotTelegram extends Error {
  override name = 'NotTelegram'
  readonly status: number
  constructor(status: number) {
    super(`Telegram's answer made no sense (HTTP ${status}).`)
    this.status = status
  }
}

/**
 * What a failed Bot API call says of the message. The sentences are ours: Telegram's `description` may quote the text.
 * @see https://github.com/tdlib/telegram-bot-api telegram-bot-api/Client.cpp, Query.cpp
 */
export function outcomeOfError(error: unknown): Failure {
  if (error instanceof TelegramError) return outcomeOfRefusal(error)
  if (error instanceof NotTelegram) return outcomeOfNonsense(error.status)
  return outcomeOfFailure(error)
}

function outcomeOfRefusal(error: TelegramError): Failure {
  const { code, description, parameters } = error
  switch (code) {
    case 401:
      return needsAttention('401', 'Telegram refused the bot token. It may have been revoked.')
    case 403:
      return rejected(
        '403',
        sentenceFor(description) ?? 'Telegram does not let this bot write to this person.',
      )
    case 404:
      return needsAttention('404', 'Telegram does not know this bot. The token may be mistyped.')
    case 409:
      return needsAttention('409', 'Another program is connected as this bot.')
    case 429:
      return rateLimited(
        '429',
        'Telegram asks us to slow down.',
        parameters?.retry_after === undefined ? undefined : parameters.retry_after * 1000,
      )
    default:
      if (code >= 500) return outcomeOfServerError(code, description)
      return rejected(String(code), sentenceFor(description) ?? 'Telegram refused this message.')
  }
}

/**
 * A 5xx with `ok: false` is the Bot API's own word that the call was not successful, so it may be tried again. But
 * "restart" and "aborted" are told to calls that were already under way when the server stopped; those may have been sent.
 */
function outcomeOfServerError(code: number, description: string): Failure {
  if (/restart|abort/i.test(description))
    return uncertain(String(code), 'Telegram restarted while it had the message.')
  return unavailable(String(code), 'Telegram had an error and did not send the message.')
}

/**
 * Without a Bot API body the answer came from something in between. A 4xx refuses; 503 says that nobody took the request; any other
 * (502, 504, a 200 that is no JSON) may follow a request that Telegram received.
 */
function outcomeOfNonsense(status: number): Failure {
  if (status === 503) return unavailable('503', 'Telegram is not available.')
  if (status === 429) return rateLimited('429', 'Telegram asks us to slow down.')
  if (status === 413) return rejected('413', 'This file is too large for Telegram.')
  if (status >= 400 && status < 500)
    return needsAttention(String(status), 'The address of the Bot API answers, but not as Telegram does.')
  return uncertain(String(status), `Telegram's answer made no sense (HTTP ${status}).`)
}

const SENTENCES: readonly (readonly [pattern: RegExp, sentence: string])[] = [
  [/bot was blocked by the user/i, 'This person has blocked the bot.'],
  [/user is deactivated/i, 'This person has deleted their Telegram account.'],
  [/can't initiate conversation/i, 'On Telegram the customer must write first.'],
  [/chat not found/i, 'Telegram does not know this chat. The customer must write first.'],
  [/bot was kicked|not a member/i, 'The bot is no longer in this chat.'],
  [/text is empty/i, 'Telegram takes no empty message.'],
  [/too long/i, 'This is too long for Telegram.'],
  [
    /message to be replied not found|replied message not found/i,
    'The message this answers no longer exists.',
  ],
  [/can't be edited/i, 'Telegram no longer lets this message be changed.'],
  [/message to edit not found|message to react not found/i, 'That message no longer exists on Telegram.'],
  [/REACTION_INVALID/i, 'Telegram has no such reaction.'],
  [/file is too big|too large/i, 'This file is too large for Telegram.'],
  [/PHOTO_INVALID_DIMENSIONS|IMAGE_PROCESS_FAILED/i, 'Telegram cannot show this picture.'],
  [/wrong file_id|wrong file identifier/i, 'Telegram no longer has this file.'],
  [/upgraded to a supergroup/i, 'This group has moved to another address.'],
]

const sentenceFor = (description: string): string | undefined =>
  SENTENCES.find(([pattern]) => pattern.test(description))?.[1]

/** The text is already what we asked for: done. */
export const isUnmodified = (error: unknown): boolean =>
  error instanceof TelegramError && /message is not modified/i.test(error.description)

/** `getUpdates` was asked while a webhook is set. */
export const isWebhookConflict = (error: unknown): boolean =>
  error instanceof TelegramError && error.code === 409 && /webhook/i.test(error.description)
