import { describe, expect, test } from 'vitest'
import { filesIn, folderOf, type Import, importsOf, PRODUCT } from './source.ts'

const files = filesIn(PRODUCT)
const known = new Set(files)
const imports = new Map(files.map((file) => [file, importsOf(file)]))

/** `file -> target` of every import that a rule refuses. */
function refused(
  folder: string,
  rule: (edge: Import, file: string) => boolean,
  among: readonly string[] = files,
): string[] {
  return among
    .filter((file) => file.startsWith(`${folder}/`))
    .flatMap((file) =>
      (imports.get(file) ?? []).filter((edge) => !rule(edge, file)).map((edge) => `${file} -> ${edge.to}`),
    )
}

describe('the reader of imports', () => {
  test('tells types from values, and knows every form', () => {
    const source = [
      "import type { A } from './a.ts'",
      "import { type B, b } from '../b.ts'",
      "import './style.css'",
      "export * from './c.ts'",
      "export type { D } from './d.ts'",
      "import express from 'express'",
      "const later = () => import('./e.ts')",
      "import {\n  one,\n  two,\n} from './many.ts'",
    ].join('\n')
    expect(importsOf('server/http/x.ts', source)).toEqual([
      { to: 'server/http/a.ts', ours: true, typeOnly: true },
      { to: 'server/b.ts', ours: true, typeOnly: false },
      { to: 'server/http/style.css', ours: true, typeOnly: false },
      { to: 'server/http/c.ts', ours: true, typeOnly: false },
      { to: 'server/http/d.ts', ours: true, typeOnly: true },
      { to: 'express', ours: false, typeOnly: false },
      { to: 'server/http/e.ts', ours: true, typeOnly: false },
      { to: 'server/http/many.ts', ours: true, typeOnly: false },
    ])
  })

  test('sees the product', () => {
    expect(files.length).toBeGreaterThan(150)
    const scripts = [...imports.values()].flat().filter((edge) => edge.ours && /\.tsx?$/.test(edge.to))
    expect(scripts.length).toBeGreaterThan(500)
    expect(scripts.map((edge) => edge.to).filter((to) => !known.has(to))).toEqual([])
  })
})

/** What is no model but the words they are told in: functions of plain values, with nothing behind them. */
const PLAIN_WORDS = ['models/content.ts', 'models/windows.ts']

describe('dependencies point one way', () => {
  test('models know nothing of ours, and no HTTP, socket, Redis or provider', () => {
    const foreign = /^(express|socket\.io|ioredis|undici|telegraf|multer|passport|node:(https?|net|fs))/
    expect(
      refused('models', (edge) => (edge.ours ? folderOf(edge.to) === 'models' : !foreign.test(edge.to))),
    ).toEqual([])
  })

  test('adapters take only types and plain words from models, and nothing else of ours', () => {
    const allowed = (edge: Import) =>
      !edge.ours ||
      folderOf(edge.to) === 'adapters' ||
      (folderOf(edge.to) === 'models' && (edge.typeOnly || PLAIN_WORDS.includes(edge.to)))
    expect(refused('adapters', allowed)).toEqual([])
  })

  test('adapters are pure: no database, socket, file or environment', () => {
    const foreign = /^(mongoose|mongodb|bson|socket\.io|ioredis|express|pino|node:(fs|net|process|os))/
    expect(refused('adapters', (edge) => edge.ours || !foreign.test(edge.to))).toEqual([])
  })

  test('the server stands on adapters and models', () => {
    const below = ['server', 'adapters', 'models']
    expect(refused('server', (edge) => !edge.ours || below.includes(folderOf(edge.to)))).toEqual([])
  })

  test('the client takes from the server the shapes of what is said, and nothing else', () => {
    const spoken = ['server/realtime/protocol.ts', 'server/sandbox/protocol.ts']
    const allowed = ({ to, ours, typeOnly }: Import) => {
      switch (ours ? folderOf(to) : 'package') {
        case 'server':
          return spoken.includes(to)
        case 'models':
          return typeOnly || PLAIN_WORDS.includes(to)
        case 'adapters':
          return typeOnly || to === 'adapters/capabilities.ts' || to === 'adapters/fit.ts'
        case 'client':
          return true
        default:
          return !ours && !to.startsWith('node:')
      }
    }
    expect(refused('client', allowed)).toEqual([])
  })

  test('what the client takes along at run time brings no package of the server', () => {
    const reached = new Set<string>()
    const walk = (file: string): void => {
      if (reached.has(file)) return
      reached.add(file)
      for (const edge of imports.get(file) ?? []) if (edge.ours && !edge.typeOnly) walk(edge.to)
    }
    for (const file of files) if (file.startsWith('client/')) walk(file)
    const foreign = [...reached]
      .filter((file) => !file.startsWith('client/'))
      .flatMap((file) =>
        (imports.get(file) ?? [])
          .filter((edge) => !edge.ours && !edge.typeOnly)
          .map((edge) => `${file} -> ${edge.to}`),
      )
    expect(foreign).toEqual([])
  })

  test('only the start knows that there is an embedded database, and it knows nothing of us', () => {
    const outside = files.filter((file) => !file.startsWith('server/embedded/') && file !== 'server/main.ts')
    expect(refused('server', (edge) => !edge.to.startsWith('server/embedded/'), outside)).toEqual([])
    expect(
      refused('server/embedded', (edge) => !edge.ours || edge.to.startsWith('server/embedded/')),
    ).toEqual([])
  })

  test('only the start knows that there is a sandbox: a provider is a provider', () => {
    const start = ['server/main.ts', 'server/setup.ts']
    const outside = files.filter((file) => !file.startsWith('server/sandbox/') && !start.includes(file))
    for (const folder of ['server', 'adapters', 'models'])
      expect(refused(folder, (edge) => !edge.to.startsWith('server/sandbox/'), outside)).toEqual([])
  })

  test('a channel is a channel: no provider is named outside its adapter, its simulator and the table', () => {
    const named = /(^|\/)(telegram|twilio|sms|meta|whatsapp|messenger)\//
    const outside = files.filter((file) => !file.startsWith('server/sandbox/'))
    for (const folder of ['server', 'models'])
      expect(refused(folder, (edge) => !(edge.ours && named.test(edge.to)), outside)).toEqual([])
  })

  test('the product never imports a test', () => {
    for (const folder of PRODUCT) expect(refused(folder, (edge) => folderOf(edge.to) !== 'test')).toEqual([])
  })
})

test('no file imports itself by any way round', () => {
  const state = new Map<string, 'open' | 'done'>()
  const cycles: string[] = []
  const walk = (file: string, path: string[]): void => {
    if (state.get(file) === 'done') return
    if (state.get(file) === 'open') {
      cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
      return
    }
    state.set(file, 'open')
    for (const edge of imports.get(file) ?? [])
      if (edge.ours && !edge.typeOnly) walk(edge.to, [...path, file])
    state.set(file, 'done')
  }
  for (const file of files) walk(file, [])
  expect(cycles).toEqual([])
})
