import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { io } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ApiKey } from '../../../models/api-key.ts'
import { Conversation, type ConversationDoc } from '../../../models/conversation.ts'
import { Message } from '../../../models/message.ts'
import { endpointsOf } from '../../../server/app.ts'
import type { Endpoint } from '../../../server/http/endpoint.ts'
import type { AgentClient } from '../../support/agent-client.ts'
import { eventually } from '../../support/eventually.ts'
import { request } from '../../support/http.ts'
import { phone, sid, TwilioPost } from '../../support/load.ts'
import { World } from '../../support/world.ts'

/** Two tenants on one installation: what Kim's has, Eve of the other must not even be able to guess. */
let world: World
let others: World
let kim: AgentClient
let eve: AgentClient
let conversation: ConversationDoc
let file: { id: string }
let message: string

beforeAll(async () => {
  world = await World.start()
  others = await World.start()
  kim = await (await world.agent('kim')).connect()
  eve = await (await others.agent('ines')).connect()
  const post = new TwilioPost({
    nodeUrl: world.node.url,
    inbox: world.inboxes.sms,
    account: world.accounts.twilio,
  })
  await post.message({ sid: sid(1), from: phone(1), text: 'A secret' })
  const row = await eventually(async () => (await kim.conversations())[0])
  const found = await Conversation.findOne({
    workspace: world.workspace,
    _id: row?.id ?? '',
  }).lean<ConversationDoc>()
  if (!found) throw new Error('no conversation')
  conversation = found
  message = (await kim.timeline(found._id))[0]?.id ?? ''
  const form = new FormData()
  form.set('file', new Blob(['a file']), 'a.txt')
  file = (await request<{ id: string }>('POST', `${kim.url}/api/v1/media`, { token: kim.token, raw: form }))
    .body
})
afterAll(async () => {
  kim.hangUp()
  eve.hangUp()
  await others.node.stop()
  await world.end()
})

const every = (): Endpoint[] => endpointsOf(world.node.parts).api

describe('another tenant', () => {
  test('finds nothing behind any address that takes an id: 404, the same as for an id that never was', async () => {
    const { key } = await ApiKey.issue({
      workspace: world.workspace,
      name: 'The shop',
      createdBy: world.staff.sam._id,
      at: new Date(),
    })
    const ids: Record<string, string> = {
      conversations: conversation._id,
      agents: world.staff.noor._id,
      media: file.id,
      'api-keys': key._id,
      inboxes: world.inboxes.sms,
      contacts: conversation.contact.id,
    }
    const bodies: Record<string, unknown> = {
      assignment: { agent: null },
      snooze: { until: '2099-01-01T00:00:00Z' },
      labels: { labels: [] },
      reading: { rev: 1 },
      merges: { from: '01a20526-0000-7000-8000-000000000001' },
      messages: { clientId: 'x', content: { type: 'text', text: 'x' } },
      attempts: {},
      agents: { name: 'X' },
    }
    const guarded = every().filter(({ path, access }) => path.includes(':id') && access !== 'public')
    expect(guarded.length).toBeGreaterThan(12)
    for (const { method, path } of guarded) {
      const kind = path.split('/')[1] ?? ''
      const body =
        bodies[
          path
            .split('/')
            .filter((part) => !part.startsWith(':'))
            .at(-1) ?? ''
        ]
      const at = (id: string) =>
        `${others.node.url}/api/v1${path.replace(':id', id).replace(':message', message)}`
      const sent = method === 'get' || method === 'delete' || body === undefined ? {} : { body }
      const theirs = await request(method.toUpperCase(), at(ids[kind] ?? ''), { token: eve.token, ...sent })
      const nobodys = await request(method.toUpperCase(), at('01a20526-0000-7000-8000-000000000000'), {
        token: eve.token,
        ...sent,
      })
      expect(theirs.status, `${method} ${path}`).toBe(404)
      expect(theirs.body, `${method} ${path}`).toEqual(nobodys.body)
    }
  })

  test('sees no row, count, change, agent or inbox of ours', async () => {
    expect(await eve.conversations()).toEqual([])
    expect(await eve.conversations('&q=secret')).toEqual([])
    expect(Object.keys(eve.state.conversations)).toEqual([])
    const changes = await eve.get<{ conversations: unknown[]; messages: unknown[] }>('/changes')
    expect(changes.body).toMatchObject({ conversations: [], messages: [] })
    for (const path of ['/agents', '/inboxes'])
      expect(JSON.stringify((await eve.get(path)).body)).not.toContain(
        path === '/agents' ? world.staff.kim._id : world.inboxes.sms,
      )
    expect((await eve.get(`/conversations?inbox=${world.inboxes.sms}`)).body).toEqual({
      data: [],
      next: null,
    })
  })

  test('cannot hear through a socket: not by opening, not by asking for a room, and a query without a workspace is refused', async () => {
    await expect(
      eve.ask((line, ack) => line.emit('conversation.open', { conversation: conversation._id }, ack)),
    ).rejects.toMatchObject({ problem: { code: 'not_found' } })
    await expect(
      eve.ask((line, ack) => line.emit('typing', { conversation: conversation._id, replying: true }, ack)),
    ).rejects.toMatchObject({ problem: { code: 'not_found' } })
    for (const event of ['join', 'subscribe', 'room'])
      (eve.line as unknown as { emit(event: string, room: string): void }).emit(
        event,
        `conversation:${conversation._id}`,
      )
    const heard: unknown[] = []
    eve.line?.onAny((event, payload) => heard.push([event, payload]))
    await kim.reply(conversation._id, 'Between us')
    await eventually(() => kim.added.length > 0)
    await eve.catchUp()
    expect(JSON.stringify(heard)).not.toContain('Between us')
    await expect(Message.find({ conversation: conversation._id }).lean()).rejects.toThrow(
      /names no workspace/,
    )
    await expect(Message.aggregate([{ $group: { _id: null } }])).rejects.toThrow(/names no workspace/)
  })
})

describe('rights', () => {
  test('an agent confined to an inbox hears and sees that one alone, and changed rights end their sockets within a second', async () => {
    const admin = await world.agent('ines')
    const confined = await world.hire('Pia', 'agent', [world.inboxes.telegram])
    const pia = await (await world.client(confined)).connect()
    expect(await pia.conversations()).toEqual([])
    expect((await pia.get(`/conversations/${conversation._id}`)).status).toBe(404)
    await kim.reply(conversation._id, 'Not for Pia')
    await pia.catchUp()
    expect(pia.added).toEqual([])

    const gone = new Promise((resolve) => pia.line?.once('disconnect', resolve))
    const before = performance.now()
    expect((await admin.patch(`/agents/${confined._id}`, { inboxes: null })).status).toBe(200)
    await gone
    expect(performance.now() - before).toBeLessThan(1_000)
    pia.line?.connect()
    await eventually(() => pia.state.conversations[conversation._id])

    const disabled = new Promise((resolve) => pia.line?.once('disconnect', resolve))
    expect((await admin.delete(`/agents/${confined._id}`)).status).toBe(204)
    await disabled
    expect((await pia.get('/me')).status).toBe(401)
    pia.hangUp()
  })

  test('agents and supervisors are refused what is an admin’s', async () => {
    for (const { method, path, access } of every().filter(({ access }) => access === 'admin')) {
      for (const who of ['kim', 'sam'] as const) {
        const client = await world.agent(who)
        const answer = await request(
          method.toUpperCase(),
          `${client.url}/api/v1${path.replace(':id', world.staff.noor._id)}`,
          {
            token: client.token,
            ...(method === 'delete' || method === 'get' ? {} : { body: {} }),
          },
        )
        expect(answer.status, `${who}: ${method} ${path} is for the ${access}`).toBe(403)
      }
    }
  })

  test('every endpoint but the public ones refuses who is not signed in', async () => {
    for (const { method, path, access } of every()) {
      if (access === 'public') continue
      const answer = await request(
        method.toUpperCase(),
        `${kim.url}/api/v1${path.replace(/:\w+/g, conversation._id)}`,
      )
      expect(answer, `${method} ${path}`).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
    }
  })
})

describe('what is sent to us', () => {
  test('operators of the database in a query, a body or an event are refused, and change nothing', async () => {
    const before = await Conversation.countDocuments({ workspace: world.workspace })
    for (const query of [
      'status[$ne]=x',
      'assignee[$gt]=',
      'q[$regex]=.*',
      'limit[$gt]=1',
      'sort=-secret',
      'inbox=%7B%22%24gt%22%3A%22%22%7D',
    ])
      expect((await kim.get(`/conversations?${query}`)).status, query).toBe(400)
    const path = `/conversations/${conversation._id}`
    const bodies: [string, unknown][] = [
      [`${path}/assignment`, { agent: { $ne: null } }],
      [`${path}/labels`, { labels: [{ $gt: '' }] }],
      [`${path}/reading`, { rev: { $gt: 0 } }],
      [`${path}/snooze`, { until: { $date: '2099-01-01' } }],
    ]
    for (const [where, body] of bodies) expect((await kim.put(where, body)).status, where).toBe(400)
    for (const body of [
      { clientId: { $gt: '' }, content: { type: 'text', text: 'x' } },
      { clientId: 'x', content: { type: 'text', text: { $gt: '' } } },
      { clientId: 'x', content: { type: 'text', text: 'x' }, seenRev: { $gt: 0 } },
      { clientId: 'x', content: { type: 'text', text: 'x' }, $where: '1' },
    ])
      expect(await kim.post(`${path}/messages`, body)).toMatchObject({
        status: 400,
        body: { code: 'invalid_request' },
      })
    expect(
      (
        await request('POST', `${kim.url}/api/v1/sessions`, {
          body: { email: { $gt: '' }, password: { $gt: '' } },
        })
      ).status,
    ).toBe(400)
    await expect(
      kim.ask((line, ack) => line.emit('conversation.open', { conversation: { $gt: '' } } as never, ack)),
    ).rejects.toMatchObject({ problem: { code: 'invalid_request' } })
    await expect(
      kim.ask((line, ack) => line.emit('catch-up', { cursor: { $gt: '' } } as never, ack)),
    ).rejects.toMatchObject({ problem: { code: 'invalid_request' } })
    expect(await Conversation.countDocuments({ workspace: world.workspace })).toBe(before)
  })

  test('a wrong request is answered with the field that is wrong, as problem+json', async () => {
    const answer = await kim.post<{ errors: unknown[] }>(`/conversations/${conversation._id}/messages`, {
      clientId: 'x',
      content: { type: 'text', text: '' },
    })
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', retryable: false, errors: [{ field: 'content.text' }] },
    })
    expect(
      (
        await request('POST', `${kim.url}/api/v1/sessions`, {
          headers: { 'content-type': 'application/json' },
          raw: '{"email":',
        })
      ).status,
    ).toBe(400)
    expect(
      (
        await request('POST', `${kim.url}/api/v1/sessions`, {
          headers: { 'content-type': 'application/json' },
          raw: JSON.stringify({ email: 'x'.repeat(600_000) }),
        })
      ).status,
    ).toBe(413)
    expect((await kim.get('/nowhere')).status).toBe(404)
    expect((await kim.get('/conversations/not-an-id')).status).toBe(404)
  })

  test('ten thousand fields, nested names, no file, two files, a file too large, an upload cut off: refused, and nothing is left behind', async () => {
    const upload = (form: FormData) =>
      request('POST', `${kim.url}/api/v1/media`, { token: kim.token, raw: form })
    const many = new FormData()
    for (let index = 0; index < 10_000; index++) many.append(`a[${index}][b][c]`, 'x')
    expect((await upload(many)).status).toBe(400)
    const two = new FormData()
    two.append('file', new Blob(['a']), 'a')
    two.append('file', new Blob(['b']), 'b')
    expect((await upload(two)).status).toBe(400)
    expect((await upload(new FormData())).status).toBe(400)
    const large = new FormData()
    large.append('file', new Blob([new Uint8Array(26 * 1024 * 1024)]), 'large.bin')
    expect((await upload(large)).status).toBe(413)
    expect(
      (
        await request('POST', `${kim.url}/api/v1/media`, {
          token: kim.token,
          headers: { 'content-type': 'multipart/form-data; boundary=x' },
          raw: '--x\r\nnonsense',
        })
      ).status,
    ).toBe(400)

    const { port } = new URL(kim.url)
    await new Promise<void>((resolve) => {
      const line = connect(Number(port), '127.0.0.1', () => {
        line.write(
          `POST /api/v1/media HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${kim.token}\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n` +
            `--x\r\nContent-Disposition: form-data; name="file"; filename="half.bin"\r\n\r\n${'y'.repeat(50_000)}`,
        )
        setTimeout(() => line.destroy(), 50)
      })
      line.on('close', () => resolve())
      line.on('error', () => {})
    })
    await eventually(() => readdirSync(world.node.parts.incoming).length === 0)
    expect((await kim.get('/me')).status).toBe(200)
  })

  test('a socket that sends too much too fast is slowed down, and a frame too large ends it', async () => {
    const line = io(kim.url, {
      transports: ['websocket'],
      auth: { token: kim.token },
      forceNew: true,
      reconnection: false,
    })
    await new Promise<void>((resolve) => line.once('connect', () => resolve()))
    const answers = await Promise.all(
      Array.from(
        { length: 300 },
        () =>
          line.emitWithAck('typing', { conversation: conversation._id, replying: false }) as Promise<{
            ok: boolean
            problem?: { code: string }
          }>,
      ),
    )
    expect(answers.some(({ problem }) => problem?.code === 'rate_limited')).toBe(true)
    const ended = new Promise((resolve) => line.once('disconnect', resolve))
    line.emit('typing', { conversation: 'x'.repeat(100_000), replying: true })
    await ended
    expect((await kim.get('/me')).status).toBe(200)
  })

  test('a file is served as what its bytes are, never as a page, and only to those who see the conversation', async () => {
    const form = new FormData()
    form.set(
      'file',
      new Blob(['<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'], {
        type: 'image/svg+xml',
      }),
      'x.svg',
    )
    const { body: svg } = await request<{ id: string; mime: string }>('POST', `${kim.url}/api/v1/media`, {
      token: kim.token,
      raw: form,
    })
    const answer = await fetch(`${kim.url}/api/v1/media/${svg.id}`, {
      headers: { authorization: `Bearer ${kim.token}` },
    })
    expect(answer.headers.get('content-type')).not.toMatch(/svg|html|xml(?!.*octet)/)
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment/)
    expect(answer.headers.get('content-security-policy')).toContain('sandbox')
    const noor = await world.agent('noor')
    expect((await noor.get(`/media/${svg.id}`)).status, 'another agent’s upload that is in no message').toBe(
      404,
    )
    await kim.post(`/conversations/${conversation._id}/messages`, {
      clientId: 'svg',
      note: true,
      content: { type: 'document', file: { id: svg.id } },
    })
    expect((await noor.get(`/media/${svg.id}`)).status).toBe(200)
    const link = new URL(world.node.parts.library.url(svg.id as never))
    expect((await fetch(link)).status).toBe(200)
    expect((await fetch(`${link.href.slice(0, -2)}xx`)).status).toBe(404)
    expect(
      (await fetch(link.href.replace(/\/(\d{10})\//, (_, at: string) => `/${Number(at) + 1}/`))).status,
    ).toBe(404)
  })
})
