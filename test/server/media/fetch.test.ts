import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { MediaFile } from '../../../models/content.ts'
import { Message, type MessageDoc } from '../../../models/message.ts'
import { StoredFile } from '../../../models/stored-file.ts'
import { type Clock, SystemClock } from '../../../server/clock.ts'
import type { Directory } from '../../../server/directory.ts'
import { MediaFetcher } from '../../../server/media/fetch.ts'
import { eventually } from '../../support/eventually.ts'
import { phone, sid, TwilioPost } from '../../support/load.ts'
import { World } from '../../support/world.ts'

const HOUR_MS = 60 * 60_000

let world: World
let now: number
let received = 0
const clock: Clock = Object.assign(new SystemClock(), { now: () => new Date(now) })

/** What the provider hands over for a reference; the test decides when, and whether. */
let provider: (reference: string) => Promise<string>
const fetchers: MediaFetcher[] = []
/** A node's fetcher, over the world's real files and messages. */
function fetcher(): MediaFetcher {
  const { log, providers, library, broadcasts } = world.node.parts
  const adapter = {
    fetchMedia: async (reference: string) => ({
      bytes: Buffer.from(await provider(reference)),
      mime: 'text/plain',
    }),
  }
  const route = { adapter, route: {}, credentials: {} }
  const directory = { inbox: async () => ({ routes: [route] }) } as unknown as Directory
  const calls = { call: () => ({}) } as unknown as typeof providers
  const made = new MediaFetcher({ clock, log, directory, providers: calls, library, broadcasts })
  fetchers.push(made)
  return made
}

beforeAll(async () => {
  world = await World.start()
  await world.node.media.stop() // here the test's own fetch
})
afterAll(async () => {
  for (const each of fetchers) await each.stop()
  await world.end()
})
beforeEach(() => {
  now = Date.now()
})

const read = async ({ _id }: Pick<MessageDoc, '_id'>): Promise<MessageDoc> => {
  const message = await Message.findOne({ workspace: world.workspace, _id }).lean<MessageDoc>()
  if (!message) throw new Error('no message')
  return message
}
const fileOf = async (message: Pick<MessageDoc, '_id'>): Promise<MediaFile | undefined> => {
  const { content } = await read(message)
  return 'file' in content ? content.file : undefined
}
/** What the contact's message holds from now on: a picture still at the provider. */
const holds = async ({ _id }: Pick<MessageDoc, '_id'>, reference: string): Promise<MessageDoc> => {
  const content = { type: 'image', file: { state: 'pending', reference }, caption: reference }
  await Message.updateOne({ workspace: world.workspace, _id }, { $set: { content } })
  return read({ _id })
}
/** A picture that came with a message of so long ago. */
async function picture(reference: string, age = 0): Promise<MessageDoc> {
  const number = ++received
  await new TwilioPost({
    nodeUrl: world.node.url,
    inbox: world.inboxes.sms,
    account: world.accounts.twilio,
  }).message({ sid: sid(number), from: phone(number), text: `Picture ${number}` })
  const message = await eventually(() =>
    Message.findOne({ workspace: world.workspace, 'content.text': `Picture ${number}` }).lean<MessageDoc>(),
  )
  await Message.updateOne(
    { workspace: world.workspace, _id: message._id },
    { $set: { createdAt: new Date(now - age) } },
  )
  return holds(message, reference)
}
/** A fetch that ends when told. */
function held() {
  let begun = () => {}
  let hand: (text: string) => void = () => {}
  const asked = new Promise<void>((resolve) => {
    begun = resolve
  })
  const answer = new Promise<string>((resolve) => {
    hand = resolve
  })
  const provider = () => {
    begun()
    return answer
  }
  return { asked, provider, hand: (text: string) => hand(text) }
}

test('a failed try loses no file, however old the message is; an hour of them does', async () => {
  const message = await picture('flaky', 5 * HOUR_MS)
  const node = fetcher()
  provider = async () => {
    throw new Error('not now')
  }
  const attempt = async () => {
    node.wanted(message)
    await node.idle()
    return (await fileOf(message))?.state
  }
  expect(await attempt()).toBe('pending')
  now += HOUR_MS
  expect(await attempt()).toBe('pending')
  const other = await picture('flaky too', 5 * HOUR_MS)
  node.wanted(other)
  await node.idle()
  now += 1
  expect(await attempt()).toBe('failed')
  provider = async () => 'a picture'
  node.wanted(other)
  await node.idle()
  expect(await fileOf(other)).toMatchObject({ state: 'stored', size: 9 })
})

test('a fetch that is overtaken by an edit does not settle the newer file, and leaves nothing', async () => {
  const before = await picture('old')
  const node = fetcher()
  const old = held()
  provider = (reference) => (reference === 'old' ? old.provider() : Promise.resolve('the newer one'))
  node.wanted(before)
  await old.asked
  const after = await holds(before, 'new')
  node.wanted(after)
  old.hand('the old one, which is longer')
  await node.idle()
  expect(await fileOf(before)).toMatchObject({ state: 'stored', size: 'the newer one'.length })
  expect(
    await StoredFile.countDocuments({ workspace: world.workspace, conversation: before.conversation }),
  ).toBe(1)
})

test('of two nodes that fetch the same file, the one that comes second keeps nothing', async () => {
  const message = await picture('twice')
  const [first, second] = [held(), held()]
  const nodes = [fetcher(), fetcher()]
  for (const [index, { asked, provider: hands }] of [first, second].entries()) {
    provider = hands
    nodes[index]?.wanted(message)
    await asked
  }
  first.hand('the picture')
  await nodes[0]?.idle()
  const settled = await fileOf(message)
  second.hand('the picture')
  await nodes[1]?.idle()
  expect(settled?.state).toBe('stored')
  expect(await fileOf(message)).toEqual(settled)
  const files = await StoredFile.find({ workspace: world.workspace, conversation: message.conversation })
  expect(files.map(({ _id }) => _id)).toEqual([settled?.state === 'stored' && settled.id])
  expect(files[0]?.expiresAt).toBeUndefined()
})
