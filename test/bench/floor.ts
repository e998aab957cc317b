import { timingSafeEqual } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import express from 'express'
import mongoose from 'mongoose'
import { Server } from 'socket.io'
import { Agent, request as call } from 'undici'
import { ACCOUNT, sign } from './account.ts'
import { answerCommands } from './helper-process.ts'

/**
 * The floor: the same libraries with no product. In: the signature check, one acknowledged insert, one emit. Back: one
 * insert, one POST, one update. What the product needs beyond this is the product's.
 */
const CONNECTIONS = 256

/** The store as the product runs it: built where it is built, in a worker thread of this process. */
async function startStore(directory: string): Promise<string> {
  const built = join(import.meta.dirname, '../../dist/server/embedded/index.js')
  const source = join(import.meta.dirname, '../../server/embedded/index.ts')
  const { startEmbedded } = (await import(
    pathToFileURL(existsSync(built) ? built : source).href
  )) as typeof import('../../server/embedded/index.ts')
  return (await startEmbedded({ directory })).uri
}

interface Stored {
  _id: string
  from: string
  text: string
  body: Buffer
  state?: string
  at: Date
}

async function start({ providerUrl }: { providerUrl: string }): Promise<{ url: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'nexus-floor-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  await mongoose.connect(await startStore(directory), {
    maxPoolSize: 50,
    writeConcern: { w: 'majority', journal: true },
  })
  const inbound = mongoose.connection.collection<Stored>('inbound')
  const outbound = mongoose.connection.collection<Stored>('outbound')

  const app = express()
  app.disable('x-powered-by')
  const http = createServer(app)
  const io = new Server(http, { transports: ['websocket'], serveClient: false })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`

  app.post('/webhook', express.raw({ type: () => true, limit: '1mb' }), async (request, response) => {
    const body = request.body as Buffer
    const fields = new URLSearchParams(body.toString())
    const given = Buffer.from(request.get('x-twilio-signature') ?? '')
    const expected = Buffer.from(sign(url + request.originalUrl, fields))
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      response.status(403).end()
      return
    }
    const [_id, from, text] = ['MessageSid', 'From', 'Body'].map((name) => fields.get(name) ?? '') as [
      string,
      string,
      string,
    ]
    await inbound.insertOne({ _id, from, text, body, at: new Date() })
    response.status(200).end()
    io.emit('message.added', { message: { id: _id, from, content: { type: 'text', text } } })
  })

  const provider = new Agent({ connections: CONNECTIONS })
  const target = `${providerUrl}/2010-04-01/Accounts/${ACCOUNT.accountSid}/Messages.json`
  const authorization = `Basic ${Buffer.from(`${ACCOUNT.accountSid}:${ACCOUNT.authToken}`).toString('base64')}`
  app.post('/replies', express.json({ limit: '256kb' }), async (request, response) => {
    const { clientId, to, text } = request.body as { clientId: string; to: string; text: string }
    await outbound.insertOne({
      _id: clientId,
      from: to,
      text,
      body: Buffer.alloc(0),
      state: 'queued',
      at: new Date(),
    })
    response.status(201).json({ id: clientId })
    const answer = await call(target, {
      dispatcher: provider,
      method: 'POST',
      headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ To: to, From: ACCOUNT.number, Body: text }).toString(),
    })
    await answer.body.json()
    await outbound.updateOne({ _id: clientId }, { $set: { state: 'sent' } })
  })
  counts = async () => ({
    inbound: await inbound.countDocuments({}),
    sent: await outbound.countDocuments({ state: 'sent' }),
  })
  return { url }
}

let counts: () => Promise<{ inbound: number; sent: number }> = async () => ({ inbound: 0, sent: 0 })
answerCommands({ start, counts: () => counts() })
