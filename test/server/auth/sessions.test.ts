import { createHmac } from 'node:crypto'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AccessTokens } from '../../../server/auth/tokens.ts'
import { PASSWORD } from '../../support/cast.ts'
import { request } from '../../support/http.ts'
import { SECRET, World } from '../../support/world.ts'

let world: World
let url: string
beforeAll(async () => {
  world = await World.start()
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

test('a refresh token that is used twice ends the whole session, for the thief and for the owner', async () => {
  const { body } = await signIn(world.staff.noor.email, PASSWORD)
  const next = await refresh(body.refreshToken)
  expect((await refresh(body.refreshToken)).status).toBe(401)
  expect((await refresh(next.body.refreshToken)).status).toBe(401)
  expect((await me(next.body.accessToken)).status).toBe(401)
})

test('of two uses of one refresh token at once, one at most wins', async () => {
  const { body } = await signIn(world.staff.noor.email, PASSWORD)
  const answers = await Promise.all([
    refresh(body.refreshToken),
    refresh(body.refreshToken),
    refresh(body.refreshToken),
  ])
  expect(answers.filter(({ status }) => status === 201).length).toBeLessThanOrEqual(1)
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
    const at = (ms: number) =>
      ({ ...world.node.parts.clock, now: () => new Date(Date.now() + ms) }) as typeof world.node.parts.clock
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
