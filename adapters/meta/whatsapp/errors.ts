import { type Codes, failed, GRAPH_CODES, limited, ours, theirs } from '../errors.ts'

/** One person may be written to once in six seconds, in the long run. */
const PAIR_LIMIT_MS = 6_000

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes */
export const WHATSAPP_CODES: Codes = {
  ...GRAPH_CODES,
  33: ours('WhatsApp does not know this business number any more.'),
  100: theirs('WhatsApp does not accept this message.'),
  80007: limited('This WhatsApp account made too many calls.'),
  130429: limited('WhatsApp asks us to slow down.'),
  130472: theirs('WhatsApp does not deliver this marketing message to this person.'),
  130497: ours('This WhatsApp account may not write to people in that country.'),
  131000: failed('WhatsApp had an error and did not send the message.'),
  131005: ours('The Meta app lacks a permission.'),
  131008: theirs('WhatsApp does not accept this message: something is missing.'),
  131009: theirs('WhatsApp does not accept this message.'),
  131016: failed('WhatsApp was not available.'),
  131021: theirs('This is the number we write from.'),
  131026: theirs('This person cannot be reached on WhatsApp.'),
  131030: ours('A test number writes only to numbers registered with it.'),
  131031: ours('WhatsApp has locked this business account.'),
  131037: ours('The display name of this number is not approved yet.'),
  131042: ours('There is a problem with the payment method of this WhatsApp account.'),
  131045: ours('This number is not registered with WhatsApp.'),
  131047: theirs(
    'More than 24 hours have passed since this person wrote. Only an approved template can be sent.',
  ),
  131048: limited('WhatsApp limits this number because people reported its messages.'),
  131049: theirs('WhatsApp held this marketing message back, as this person gets many.'),
  131050: theirs('This person has stopped marketing messages from us.'),
  131051: theirs('WhatsApp does not carry this kind of message.'),
  131052: failed('WhatsApp could not fetch the file.'),
  131053: failed('WhatsApp could not take the file.'),
  131056: limited('WhatsApp asks us to write to this person more slowly.', PAIR_LIMIT_MS),
  131057: failed('This WhatsApp account is being maintained.'),
  131062: theirs('WhatsApp does not accept this kind of address for this message.'),
  131063: ours('Marketing messages are switched off for this number.'),
  131064: ours('WhatsApp has limited this account for miscategorised templates.'),
  132000: theirs('The blanks of this template are not filled as WhatsApp approved it.'),
  132001: ours('WhatsApp has no such template in this language.'),
  132005: theirs('This template is too long once its blanks are filled.'),
  132007: ours('This template breaks a policy of WhatsApp’s.'),
  132012: theirs('The blanks of this template are not filled as WhatsApp approved it.'),
  132015: ours('WhatsApp has paused this template.'),
  132016: ours('WhatsApp has disabled this template.'),
  132068: ours('WhatsApp has blocked this flow.'),
  132069: limited('WhatsApp has slowed this flow down.'),
  133004: failed('WhatsApp was not available.'),
  133010: ours('This number is not registered with WhatsApp.'),
  133016: limited('This number was registered too often.'),
  135000: failed('WhatsApp had an error and did not send the message.'),
  137000: theirs('This person’s phone has changed, and they have not confirmed it.'),
}

/** What a `failed` receipt says. */
export const problemOfCode = (code: number | undefined): { code: string; reason: string } =>
  code === undefined
    ? { code: 'failed', reason: 'WhatsApp did not deliver it.' }
    : {
        code: String(code),
        reason: WHATSAPP_CODES[code]?.sentence ?? `WhatsApp did not deliver it (error ${code}).`,
      }
