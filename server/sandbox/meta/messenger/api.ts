import express, { Router } from 'express'
import { type GraphParts, method } from '../method.ts'
import { Action, Send, Subscription } from './shapes.ts'

const DONE = { success: true }

/** What the Messenger Platform offers of a page and its app. */
export function messengerRouter({ stage, subscriptions, messenger }: GraphParts): Router {
  const router = Router()
  const { title, messenger: account } = stage.accounts.meta
  const { pageId, appId } = account
  const json = express.json({ limit: '256kb' })

  router.post(
    [`/${pageId}/messages`, '/me/messages'],
    json,
    method(async ({ body }) => {
      if (body?.sender_action !== undefined) {
        const action = Action.parse(body)
        messenger.act(action)
        return { recipient_id: action.recipient.id }
      }
      const send = Send.parse(body)
      return { recipient_id: send.recipient.id, message_id: await messenger.accept(send) }
    }),
  )

  router.get(
    [`/${pageId}`, '/me'],
    method(() => ({ id: pageId, name: title })),
  )
  router.post(
    `/${pageId}/subscribed_apps`,
    method(() => {
      subscriptions.subscribe('messenger')
      return DONE
    }),
  )
  router.post(
    `/${appId}/subscriptions`,
    json,
    method(async ({ body }) => {
      const { callback_url, verify_token } = Subscription.parse(body)
      await subscriptions.lead('messenger', callback_url, verify_token)
      return DONE
    }),
  )

  /** A person, by the number the page knows them by. */
  router.get(
    /^\/24\d{16}$/,
    method(({ path }) => {
      const { name } = messenger.reach(path.slice(1))
      const [first_name = name, ...rest] = name.split(' ')
      return { first_name, ...(rest.length > 0 && { last_name: rest.join(' ') }), id: path.slice(1) }
    }),
  )
  return router
}
