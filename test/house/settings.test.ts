import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readConfig, WrongSetting } from '../../server/config.ts'
import { ROOT } from './source.ts'

const KEY = 'k'.repeat(32)
let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nexus-settings-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const complaint = (environment: NodeJS.ProcessEnv): string => {
  try {
    readConfig({ DATA_DIR: directory, ...environment })
  } catch (error) {
    expect(error).toBeInstanceOf(WrongSetting)
    return (error as Error).message
  }
  return 'no complaint'
}

describe('a wrong setting is named, with its cure', () => {
  test.each([
    ['PORT', 'http', /port number, such as 3000/],
    ['PORT', '70000', /port number, such as 3000/],
    ['PUBLIC_URL', 'inbox.example.com', /whole address, such as https:/],
    ['PUBLIC_URL', 'ftp://inbox.example.com', /whole address, such as https:/],
    ['MONGODB_URI', 'localhost:27017', /such as mongodb:\/\//],
    ['REDIS_URL', 'localhost:6379', /such as redis:\/\//],
    ['SECRET_KEY', 'short', /32 characters \(openssl rand/],
    ['SECRET_KEY', `${KEY},short`, /after a rotation the old one follows a comma/],
    ['LOG_LEVEL', 'loud', /one of trace, debug, info/],
    ['ALLOWED_HOSTS', 'http://10.0.0.5', /host:port/],
    ['SANDBOX', 'perhaps', /"on"\|"off"/],
    ['ADMIN_EMAIL', 'admin', /e-mail address/],
    ['ADMIN_PASSWORD', 'short', /at least 10 characters/],
  ])('%s=%s', (name, value, cure) => {
    expect(complaint({ [name]: value })).toMatch(new RegExp(`^${name}: .*${cure.source}`))
  })

  test('many nodes must be given one secret', () => {
    expect(complaint({ MONGODB_URI: 'mongodb://db/nexus' })).toMatch(
      /^SECRET_KEY: .*every node.*openssl rand/,
    )
  })

  test('a folder that cannot be written', () => {
    const file = join(directory, 'a-file')
    writeFileSync(file, '')
    expect(complaint({ DATA_DIR: join(file, 'data') })).toMatch(/^DATA_DIR: .*a folder that this user owns/)
  })

  test('all of them at once', () => {
    const said = complaint({ PORT: 'x', LOG_LEVEL: 'x', ADMIN_EMAIL: 'x' })
    expect(said.split('\n').map((line) => line.split(':')[0])).toEqual(['PORT', 'LOG_LEVEL', 'ADMIN_EMAIL'])
  })

  test('and never a secret that was given', () => {
    expect(complaint({ SECRET_KEY: 'hunter22', ADMIN_PASSWORD: 'hunter23' })).not.toMatch(/hunter/)
  })

  test('the process says so and ends with 78, having touched nothing', () => {
    const data = join(directory, 'data')
    const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'server/main.ts'], {
      cwd: ROOT,
      env: { PATH: process.env.PATH, DATA_DIR: data, PORT: 'x' },
      encoding: 'utf8',
    })
    expect(stderr).toMatch(/^Wrong setting\.\nPORT: .*such as 3000/)
    expect(status).toBe(78)
    expect(existsSync(data)).toBe(false)
  })
})

describe('what is not set', () => {
  test('has the default that is documented', () => {
    const config = readConfig({ DATA_DIR: directory })
    expect(config).toMatchObject({
      production: false,
      port: 3000,
      host: undefined,
      publicUrl: undefined,
      mongodbUri: undefined,
      redisUrl: undefined,
      logLevel: 'info',
      sandbox: true,
      adminEmail: 'admin@nexus.local',
      adminPassword: undefined,
    })
  })

  test('an empty value is none', () => {
    expect(readConfig({ DATA_DIR: directory, PORT: '', REDIS_URL: '' })).toMatchObject({
      port: 3000,
      redisUrl: undefined,
    })
  })

  test('the sandbox is off in production, unless asked for', () => {
    const production = { DATA_DIR: directory, NODE_ENV: 'production' }
    expect(readConfig(production).sandbox).toBe(false)
    expect(readConfig({ ...production, SANDBOX: 'on' }).sandbox).toBe(true)
  })

  test('a secret is drawn once, kept for its owner alone, and found again', () => {
    mkdirSync(directory, { recursive: true })
    const [first] = readConfig({ DATA_DIR: directory }).secretKeys
    expect(first.length).toBeGreaterThanOrEqual(32)
    expect(readConfig({ DATA_DIR: directory }).secretKeys).toEqual([first])
    expect(statSync(join(directory, 'secret.key')).mode & 0o077).toBe(0)
  })

  test('nothing can be changed later', () => {
    expect(Object.isFrozen(readConfig({ DATA_DIR: directory }))).toBe(true)
  })
})
