import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { filesIn, importsOf, PRODUCT, placesOf, ROOT, read } from './source.ts'

const files = filesIn(PRODUCT)
const filesOf = (places: string[]): string[] => [...new Set(places.map((place) => place.split(':')[0] ?? ''))]
/** The store and the simulators are programs of their own that happen to run in ours. */
const ours = files.filter((file) => !/^server\/(embedded|sandbox)\//.test(file))
const server = ours.filter((file) => file.startsWith('server/'))

describe('each thing is said in one place', () => {
  test('the environment enters once, and is read by server/config.ts', () => {
    const places = placesOf(/\bprocess\.env\b|\bfrom 'node:process'/, files)
    expect(filesOf(places)).toEqual(['server/main.ts'])
    expect(places).toHaveLength(1)
    expect(read('server/main.ts')).toContain('readConfig(process.env)')
  })

  test('every Redis key is spelled in server/redis/keys.ts', () => {
    expect(filesOf(placesOf(/['"`]nexus:/, files))).toEqual(['server/redis/keys.ts'])
    const commands =
      /redis\b.*\.(get|set|setex|del|incr|expire|pexpire|zadd|zrem|zrange|sadd|srem|smembers|hset|hget|publish|subscribe)\(\s*['"`]/i
    const users = files.filter((file) => importsOf(file).some((edge) => edge.to === 'ioredis'))
    expect(users.length).toBeGreaterThan(1)
    expect(placesOf(commands, users)).toEqual([])
  })

  test('one file connects to Redis', () => {
    const connecting = files.filter((file) =>
      importsOf(file).some((edge) => edge.to === 'ioredis' && !edge.typeOnly),
    )
    expect(connecting).toEqual(['server/redis/connection.ts'])
  })

  test('every broadcast is a function of server/realtime/broadcasts.ts', () => {
    const emitting = /\.emit\(|\.disconnectSockets\(|\bio\.(to|in|of|sockets|send|local|volatile)\b/
    const allowed = [
      'server/realtime/broadcasts.ts',
      'server/node.ts', // ends every socket of its own when it stops
    ]
    expect(filesOf(placesOf(emitting, server)).filter((file) => !allowed.includes(file))).toEqual([])
    expect(placesOf(/\.emit\(/, ['server/node.ts'])).toEqual([])
  })

  test('every room is named in server/realtime/rooms.ts', () => {
    expect(
      filesOf(
        placesOf(/[`'"](workspace|every-inbox|inbox|conversation|agent|session|supervisors):\$?/, server),
      ),
    ).toEqual(['server/realtime/rooms.ts'])
  })

  test('all time and chance are given: nobody asks the machine', () => {
    const asking = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(/
    const allowed = [
      'server/clock.ts',
      'server/database.ts', // where a database does not tell its time
    ]
    const places = placesOf(
      asking,
      ours.filter((file) => !file.startsWith('client/')),
    )
    expect(filesOf(places).filter((file) => !allowed.includes(file))).toEqual([])
  })

  test('nobody leaves the process but the start', () => {
    expect(filesOf(placesOf(/\bprocess\.(exit|abort|kill)\(/, ours))).toEqual(['server/main.ts'])
  })
})

describe('the tree', () => {
  const ENTRIES = [
    'adapters',
    'bin',
    'client',
    'deploy',
    'docs',
    'models',
    'server',
    'test',
    'CHANGELOG.md',
    'Dockerfile',
    'LICENSE',
    'README.md',
    'docker-compose.yml',
    'package-lock.json',
    'package.json',
    'tsconfig.build.json',
    'tsconfig.client.json',
    'tsconfig.json',
  ]

  test('has no other entry at its top', () => {
    const top = existsSync(join(ROOT, '.git'))
      ? execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 26 })
          .split('\n')
          .map((path) => path.split('/')[0] ?? '')
      : readdirSync(ROOT).filter((name) => !['node_modules', 'dist', 'data'].includes(name))
    const strangers = new Set(top.filter((name) => name && !name.startsWith('.') && !ENTRIES.includes(name)))
    expect([...strangers]).toEqual([])
  })

  test('has no file of the product that takes more than one sitting to read', () => {
    const MAX_LINES = 400
    const long = files
      .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
      .filter(({ lines }) => lines > MAX_LINES)
    expect(long).toEqual([])
  })
})
