import { afterAll, beforeAll, test } from 'vitest'
import { Receipt } from '../../models/receipt.ts'
import { Poller } from '../../server/inbound/poller.ts'
import { ReceiptKeeper } from '../../server/inbound/receipts.ts'
import { eventually } from '../support/eventually.ts'
import { World } from '../support/world.ts'

/** A laptop behind a router: no provider can post to it, so the one that can be asked is asked. */
let world: World
let poller: Poller
beforeAll(async () => {
  world = await World.start()
  const { token } = world.accounts.telegram
  const isSet = async () =>
    ((await (await fetch(`${world.sandboxUrl}/api/accounts`)).json()) as { telegram: { webhook: boolean } })
      .telegram.webhook
  await eventually(isSet) // the node sets it on its own as it starts
  await fetch(`${world.sandboxUrl}/telegram/bot${token}/deleteWebhook`, { method: 'POST' })
  const { parts } = world.node
  parts.providers.canCallUs = () => false
  poller = new Poller({ ...parts, keeper: new ReceiptKeeper() })
  poller.start()
})
afterAll(async () => {
  await poller.stop()
  await world.end()
})

test('what a customer writes is asked for and arrives, and what cannot be read stands in nobody’s way', async () => {
  const kim = await (await world.agent('kim')).connect()
  const ada = await world.customer('Ada')
  await ada.writes('telegram', 'Can you hear me?')
  const conversation = await eventually(() =>
    Object.values(kim.state.conversations).find(({ contact }) => contact.name === 'Ada'),
  )
  await eventually(async () =>
    (await kim.timeline(conversation.id)).some(
      ({ content }) => content.type === 'text' && content.text === 'Can you hear me?',
    ),
  )

  // The adapter does not know what comes next; the poller goes on all the same.
  const [open] = (await world.node.parts.directory.inbox(world.inboxes.telegram))?.routes ?? []
  if (!open) throw new Error('no route')
  const parse = open.adapter.parse
  const { Unreadable } = await import('../../adapters/adapter.ts')
  open.adapter.parse = () => {
    throw new Unreadable('a form nobody documented')
  }
  await ada.writes('telegram', 'Lost on us')
  await eventually(
    async () => (await Receipt.countDocuments({ workspace: world.workspace, state: 'unreadable' })) === 1,
  )
  open.adapter.parse = parse
  await ada.writes('telegram', 'And now?')
  await eventually(async () =>
    (await kim.timeline(conversation.id)).some(
      ({ content }) => content.type === 'text' && content.text === 'And now?',
    ),
  )
  kim.hangUp()
})
