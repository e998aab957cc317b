import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { NodeProcess } from '../support/node-process.ts'
import { freePort } from '../support/redis.ts'

/** EX_CONFIG: starting again does not help, a person must change a setting. */
const WRONG_SETTING = 78
const dataDir = mkdtempSync(join(tmpdir(), 'nexus-start-'))
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

async function startWith(env: Record<string, string>, given: { dataDir?: string; port?: number } = {}) {
  const node = new NodeProcess({
    dataDir: given.dataDir ?? dataDir,
    port: given.port ?? (await freePort()),
    env: { SANDBOX: 'off', ...env },
  })
  node.launch()
  return { ...(await node.ended), output: node.output }
}

describe('a wrong setting ends the start with its name, what is wrong, the cure, and code 78', () => {
  test.each([
    ['PORT', { port: 70_000 }, {}, /PORT: give a port number, such as 3000/],
    ['PORT', { port: Number.NaN }, {}, /PORT: give a port number, such as 3000/],
    [
      'PUBLIC_URL',
      {},
      { PUBLIC_URL: 'inbox.example.com' },
      /PUBLIC_URL: give the whole address, such as https:/,
    ],
    ['REDIS_URL', {}, { REDIS_URL: 'localhost:6379' }, /REDIS_URL: give an address such as redis:/],
    ['MONGODB_URI', {}, { MONGODB_URI: 'http://db' }, /MONGODB_URI: give an address such as mongodb:/],
    ['SECRET_KEY', {}, { SECRET_KEY: 'short' }, /SECRET_KEY: give at least 32 characters \(openssl/],
    ['SECRET_KEY', {}, { MONGODB_URI: 'mongodb://127.0.0.1:1/x' }, /SECRET_KEY: it is not set.*openssl/],
    ['ADMIN_PASSWORD', {}, { ADMIN_PASSWORD: 'short' }, /ADMIN_PASSWORD: give at least 10 characters/],
    ['LOG_LEVEL', {}, { LOG_LEVEL: 'loud' }, /LOG_LEVEL: give one of trace, debug/],
    ['SANDBOX', {}, { SANDBOX: 'maybe' }, /SANDBOX: .*on.*off/],
  ] as const)('%s %j %j', async (_name, given, env, sentence) => {
    const { code, output } = await startWith(env, given)
    expect(output).toMatch(sentence)
    expect(code).toBe(WRONG_SETTING)
    expect(output).not.toMatch(/\n\s+at /) // a person reads it, not a debugger
  })

  test('DATA_DIR that is no folder', async () => {
    const file = join(dataDir, 'a-file')
    writeFileSync(file, '')
    const { code, output } = await startWith({}, { dataDir: file })
    expect(output).toMatch(/DATA_DIR: .*a-file.*give a folder that this user owns/)
    expect(code).toBe(WRONG_SETTING)
  })
})

test('a second server on the same data is refused, and told what to do', async () => {
  const first = new NodeProcess({ dataDir, port: await freePort(), env: { SANDBOX: 'off' } })
  await first.start()
  try {
    const { code, output } = await startWith({})
    expect(output).toMatch(/already open in another process.*DATA_DIR/)
    expect(code).not.toBe(0)
  } finally {
    expect(await first.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  }
})
