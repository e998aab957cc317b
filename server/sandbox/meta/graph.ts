import { createHmac } from 'node:crypto'
import { type Request, type RequestHandler, Router } from 'express'
import { badParameter, badToken, refuse, refuseWithStatus } from './errors.ts'
import { messengerRouter } from './messenger/api.ts'
import type { GraphParts } from './method.ts'
import { whatsappRouter } from './whatsapp/api.ts'

/** The Graph API over HTTP: one host for WhatsApp and Messenger. @see https://developers.facebook.com/docs/graph-api/overview */
export function graphRouter(parts: GraphParts): Router {
  const router = Router()
  const { stage, whatsapp, messenger } = parts
  const { accounts, faults, files } = stage

  const authorize: RequestHandler = (request, response, next) => {
    const token = tokenOf(request)
    const { whatsapp: number, messenger: page } = accounts.meta
    const app = `${page.appId}|${page.appSecret}`
    if (![number.accessToken, page.accessToken, app].includes(token)) return refuse(response, badToken())
    const proof = createHmac('sha256', page.appSecret).update(token).digest('hex')
    const given = request.query.appsecret_proof
    if (given !== undefined && given !== proof)
      return refuse(response, badParameter('Invalid appsecret_proof provided in the API argument'))
    const base = `${request.protocol}://${request.get('host')}${request.baseUrl.replace(/\/v[\d.]+$/, '')}`
    whatsapp.apiBase = base
    messenger.apiBase = base
    next()
  }

  /** Only with our token, and for five minutes. */
  router.get('/whatsapp_business/attachments', (request, response) => {
    const id = String(request.query.mid)
    if (tokenOf(request) !== accounts.meta.whatsapp.accessToken) return void response.sendStatus(401)
    const file = whatsapp.isServed(id) ? files.get(id) : undefined
    if (file) response.set('content-type', file.mime).send(file.bytes)
    else response.sendStatus(404)
  })
  /** With nothing: the address is permission enough. */
  router.get('/cdn/:id/:name', (request, response) => {
    const file = files.get(request.params.id)
    if (file) response.set('content-type', file.mime).send(file.bytes)
    else response.status(403).send('URL signature expired')
  })

  router.use(
    '/:version',
    (request, response, next) =>
      /^v\d{1,3}\.\d$/.test(String(request.params.version))
        ? authorize(request, response, next)
        : next('router'),
    faults.gate('meta', isSend, refuseWithStatus),
    whatsappRouter(parts),
    messengerRouter(parts),
    (request, response) => refuse(response, badParameter(`Unknown path components: ${request.path}`)),
  )
  return router
}

const isSend = (request: Request): boolean => request.method === 'POST' && request.path.endsWith('/messages')

const tokenOf = (request: Request): string =>
  /^Bearer (\S+)$/i.exec(request.get('authorization') ?? '')?.[1] ?? String(request.query.access_token ?? '')
