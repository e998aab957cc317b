import { type Codes, failed, GRAPH_CODES, limited, ours, theirs } from '../errors.ts'

const WINDOW = 'Messenger takes no message this long after the customer’s last one. Wait until they write.'
const AWAY = 'This person does not receive messages on Messenger right now.'
const FILE = failed('Messenger could not fetch the file.')

/**
 * 100/2018007 and 100/2018008 are unconfirmed: taken for files that could not be fetched or kept.
 * @see https://developers.facebook.com/documentation/business-messaging/messenger-platform/error-codes
 */
export const MESSENGER_CODES: Codes = {
  ...GRAPH_CODES,
  '4/2018022': limited('Messenger asks us to slow down.'),
  '10/1893063': ours('Facebook has restricted this page.'),
  '10/2018065': theirs(WINDOW),
  '10/2018108': theirs(AWAY),
  '10/2018278': theirs(WINDOW),
  100: theirs('Messenger does not accept this message.'),
  '100/2018001': theirs('Messenger does not know this person.'),
  '100/2018007': FILE,
  '100/2018008': FILE,
  '100/2018109': theirs('This file is too large for Messenger.'),
  200: ours('The Meta app may not write for this page.'),
  '200/1545041': theirs(AWAY),
  '200/2018028': ours(
    'Meta has not approved the Meta app for this: answers after 24 hours need the Human Agent feature.',
  ),
  551: theirs(AWAY),
  1200: failed('Messenger had an error and did not send the message.'),
  2018218: theirs('Messenger shows nothing of this person.'),
}
