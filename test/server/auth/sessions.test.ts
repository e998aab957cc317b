import { createHmac } from 'node:crypto'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AccessTokens } from '../../../server/auth/tokens.ts'
import { type Clock, SystemClock } from '../../../server/clock.ts'
import { PASSWORD } from '../../support/cast.ts'
import { request } from '../../support/http.ts'
import { SECRET, World } from '../../support/world.ts'

/** The test's own hands: only forward, since nothing is younger than it was. */
const system = new SystemClock()
let ahead = 0
const clock: Clock = {
  now: () => new Date(system.now().getTime() + ahead),
  monotonic: () => system.monotonic(),
  sleep: (ms, signal) => system.sleep(ms, signal),
  after: (ms, callback) => system.after(ms, callback),
}

let world: World
let url: string
beforeAll(async () => {
  world = await World.start({ clock })
  url = `${world.node.url}/api/v1`
})
afterAll(() => world.end())

interface Grant {
  accessToken: string
  refreshToken: string
  expiresIn: number
}
const signIn = (email: string, password: string) =>
  request<Grant>('POST', `${url}/sessions`, { body: { email, password } })
const refresh = (refreshToken: string) =>
  request<Grant>('POST', `${url}/sessions/refresh`, { body: { refreshToken } })
const me = (token: string) => request('GET', `${url}/me`, { token })

test('signing in, staying in and signing out', async () => {
  const { status, body, headers } = await signIn(world.staff.kim.email.toUpperCase(), PASSWORD)
  expect(status).toBe(201)
  expect(headers.get('cache-control')).toBe('no-store')
  expect(body.expiresIn).toBe(900)
  expect(await me(body.accessToken)).toMatchObject({ status: 200, body: { name: 'Kim', role: 'agent' } })
  const next = await refresh(body.refreshToken)
  expect(next.status).toBe(201)
  expect((await me(next.body.accessToken)).status).toBe(200)
  expect((await request('DELETE', `${url}/sessions/current`, { token: next.body.accessToken })).status).toBe(
    204,
  )
  expect((await me(next.body.accessToken)).status, 'the access token dies with the session').toBe(401)
  expect((await refresh(next.body.refreshToken)).status).toBe(401)
})

describe('a refresh token that is used twice', () => {
  const GRACE_MS = 20_000
  /** Noor's session, at its first token. */
  const begin = () => world.agent('noor')
  const refreshed = async (token: string) => {
    const { status, body } = await refresh(token)
    expect(status).toBe(201)
    return body
  }
  /** Nothing opens with any of them. */
  const ended = async (...grants: { refreshToken: string; accessToken?: string }[]) => {
    for (const { refreshToken, accessToken } of grants) {
      expect((await refresh(refreshToken)).status).toBe(401)
      if (accessToken) expect((await me(accessToken)).status).toBe(401)
    }
  }

  test('ends the whole session, for the thief and for the owner, once its successor was used', async () => {
    const first = await begin()
    const second = await refreshed(first.refreshToken)
    const third = await refreshed(second.refreshToken)
    expect((await refresh(first.refreshToken)).status).toBe(401)
    await ended(third, second)
  })

  test('ends it too when the time for it is over, though its successor was not used', async () => {
    const first = await begin()
    const second = await refreshed(first.refreshToken)
    ahead += GRACE_MS
    expect((await refresh(first.refreshToken)).status).toBe(401)
    await ended(second)
  })

  test('is taken once more when its answer was lost: the session goes on with the newer pair', async () => {
    const first = await begin()
    const lost = await refreshed(first.refreshToken)
    ahead += GRACE_MS - 5_000
    const second = await refreshed(first.refreshToken)
    expect(second.refreshToken).not.toBe(lost.refreshToken)
    expect((await me(second.accessToken)).status).toBe(200)
    const third = await refreshed(second.refreshToken)
    const fourth = await refreshed(third.refreshToken)
    expect((await me(fourth.accessToken)).status).toBe(200)
  })

  test('is taken no third time', async () => {
    const first = await begin()
    await refreshed(first.refreshToken)
    const second = await refreshed(first.refreshToken)
    expect((await refresh(first.refreshToken)).status).toBe(401)
    await ended(second)
  })

  test('makes its first successor a spent one: whoever has that after all ends the session', async () => {
    const first = await begin()
    const stolen = await refreshed(first.refreshToken)
    const second = await refreshed(first.refreshToken)
    expect((await refresh(stolen.refreshToken)).status).toBe(401)
    await ended(second)
  })

  test('at once, by many, leaves one of their pairs good at most', async () => {
    const { refreshToken } = await begin()
    const answers = await Promise.all(Array.from({ length: 4 }, () => refresh(refreshToken)))
    const pairs = answers.filter(({ status }) => status === 201)
    expect(pairs.length).toBeLessThanOrEqual(2)
    await ended(...pairs.map(({ body }) => body))
  })

  test('at once, by two, goes on with one of both, and the other ends it', async () => {
    const { refreshToken } = await begin()
    const answers = await Promise.all([refresh(refreshToken), refresh(refreshToken)])
    expect(answers.map(({ status }) => status)).toEqual([201, 201])
    const statuses = []
    for (const { body } of answers) statuses.push((await refresh(body.refreshToken)).status)
    expect(statuses.filter((status) => status === 201).length).toBeLessThanOrEqual(1)
  })
})

describe('a token is refused', () => {
  const key = new TextEncoder().encode(SECRET)
  const claims = () => ({
    sub: world.staff.ines._id,
    ws: world.workspace,
    sid: world.workspace,
    iss: 'nexus-inbox',
    aud: 'nexus-inbox:api',
  })
  const parts = (header: object, payload: object) =>
    [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')

  test('with no algorithm, with another one, with another key, without its claims, or bent', async () => {
    const { body } = await signIn(world.staff.sam.email, PASSWORD)
    const [header = '', payload = '', signature = ''] = body.accessToken.split('.')
    const future = Math.floor(Date.now() / 1000) + 900
    const none = `${parts({ alg: 'none' }, { ...claims(), exp: future })}.`
    const own = parts({ alg: 'HS256', kid: '../../dev/null' }, { ...claims(), exp: future })
    const forged = `${own}.${createHmac('sha256', SECRET).update(own).digest('base64url')}`
    const hs512 = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'HS512' })
      .setExpirationTime('15m')
      .sign(key)
    for (const token of [
      none,
      forged,
      hs512,
      `${header}.${payload}.`,
      `${header}.${payload}.${signature.slice(0, -2)}AA`,
      'x',
      '',
      `${header}.${payload}`,
    ])
      expect((await me(token)).status, token.slice(0, 30)).toBe(401)
    expect((await me(body.accessToken)).status).toBe(200)
    expect(
      (await request('GET', `${url}/me?token=${body.accessToken}&access_token=${body.accessToken}`)).status,
      'never from the address',
    ).toBe(401)
  })

  test('when it is expired, or its key was taken out of use; while the old key is still listed it is good', async () => {
    const grant = await world.node.parts.signIn.start(world.staff.sam)
    const at = (ms: number) => ({ ...clock, now: () => new Date(clock.now().getTime() + ms) }) as Clock
    const later = 'another-secret-that-came-after-the-first-one'
    expect(await new AccessTokens([SECRET], at(0)).read(grant.accessToken)).not.toBeNull()
    expect(await new AccessTokens([SECRET], at(16 * 60_000)).read(grant.accessToken)).toBeNull()
    expect(await new AccessTokens([later, SECRET], at(0)).read(grant.accessToken)).not.toBeNull()
    expect(await new AccessTokens([later], at(0)).read(grant.accessToken)).toBeNull()
  })
})

test('guessing passwords is slowed down per account, with the same answer and about the same time for accounts that do not exist', async () => {
  const wrong = await signIn(world.staff.ines.email, 'wrong password')
  const nobody = await signIn('nobody@shop.test', 'wrong password')
  expect(wrong).toMatchObject({ status: 401, body: { code: 'wrong_credentials' } })
  expect(nobody.body).toEqual(wrong.body)
  const statuses: number[] = []
  for (let guess = 0; guess < 12; guess++)
    statuses.push((await signIn(world.staff.ines.email, `guess ${guess}`)).status)
  expect(statuses).toContain(429)
  const locked = await signIn(world.staff.ines.email, PASSWORD)
  expect(locked).toMatchObject({ status: 429, body: { code: 'rate_limited', retryable: true } })
  expect(Number(locked.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await signIn(world.staff.kim.email, PASSWORD)).status, 'others are not locked out').toBe(201)
})

test('people who sign in from one address do not use up the guesses of that address', async () => {
  const people = 70
  for (let count = 0; count < people; count++)
    expect((await signIn(world.staff.kim.email, PASSWORD)).status, `sign-in ${count}`).toBe(201)
})
