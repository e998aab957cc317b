import express, { Router } from 'express'
import { z } from 'zod'
import { PROVIDERS } from './catalogue.ts'
import { streamEvents } from './live.ts'
import type { AccountsView } from './protocol.ts'
import { Refusal } from './refusal.ts'
import type { Stage } from './stage.ts'

const Provider = z.enum(PROVIDERS)
const NewFault = z
  .object({
    provider: Provider,
    kind: z.enum([
      'latency',
      'status',
      'hang',
      'reset',
      'accept-then-drop',
      'garbage',
      'duplicate',
      'reorder',
      'before-answer',
      'drop',
    ]),
    ms: z.number().min(0).max(600_000).optional(),
    status: z.int().min(400).max(599).optional(),
    retryAfter: z.int().min(0).max(86_400).optional(),
    on: z.enum(['sends', 'all']).default('sends'),
    times: z.int().positive().optional(),
  })
  .refine(({ kind, ms }) => kind !== 'latency' || ms !== undefined, 'A latency needs its ms.')

/** What a test or the page asks of the simulators themselves: faults, the ledger, what was posted. */
export function consoleRouter(stage: Stage, accounts: () => AccountsView): Router {
  const router = Router()

  router.get('/accounts', (_request, response) => {
    response.json(accounts())
  })

  router.get('/faults', (_request, response) => {
    response.json(stage.faults.list())
  })
  router.post('/faults', express.json({ limit: '16kb' }), (request, response) => {
    const { times, ...fault } = NewFault.parse(request.body)
    response.status(201).json(stage.faults.add({ ...defined(fault), ...(times && { left: times }) }))
  })
  router.delete('/faults', (request, response) => {
    const provider = Provider.optional().parse(request.query.provider)
    stage.faults.remove((fault) => !provider || fault.provider === provider)
    response.sendStatus(204)
  })
  router.delete('/faults/:id', (request, response) => {
    stage.faults.remove(({ id }) => id === Number(request.params.id))
    response.sendStatus(204)
  })

  router.get('/ledger', (request, response) => {
    response.json(stage.ledger.view(Provider.optional().parse(request.query.provider)))
  })
  router.delete('/ledger', (_request, response) => {
    stage.ledger.clear()
    response.sendStatus(204)
  })

  router.get('/webhooks', (_request, response) => {
    response.json(stage.courier.posted())
  })
  router.get('/events', (request, response) => {
    const handsets = z
      .array(z.string())
      .max(20)
      .parse([request.query.handset ?? []].flat())
    streamEvents(stage, response, new Set(handsets))
  })

  /** Only what a browser shows as a picture, a sound or a film is shown; the rest is downloaded. */
  router.get('/files/:id', (request, response) => {
    const file = stage.files.get(request.params.id)
    if (!file) throw new Refusal(404, 'There is no such file any more.')
    const shown = SHOWN.has(file.mime)
    response.set({
      'content-type': shown ? file.mime : 'application/octet-stream',
      'content-disposition': `${shown ? 'inline' : 'attachment'}; filename*=UTF-8''${encodeURIComponent(file.name)}`,
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, max-age=3600',
    })
    response.send(file.bytes)
  })

  return router
}

const SHOWN = new Set([
  'image/jpeg',
  'image/png',
  'image/gif',
  'image/webp',
  'audio/mpeg',
  'audio/mp4',
  'audio/ogg',
  'audio/webm',
  'audio/wav',
  'video/mp4',
  'video/webm',
])

/** Leaves out what is undefined. */
const defined = <T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
