import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../server/config.ts'
import { ERRORS } from '../../server/errors.ts'
import { filesIn, ROOT, read } from './source.ts'

/** The names of the settings, in the order of server/config.ts. */
const settings = [
  ...(/const SETTINGS = z\.object\(\{([\s\S]*?)\n\}\)/
    .exec(read('server/config.ts'))?.[1]
    ?.matchAll(/^ {2}([A-Z_]+):/gm) ?? []),
].map(([, name]) => String(name))

test('docs/errors.md is the catalogue', () => {
  const rows = [...read('docs/errors.md').matchAll(/^\| `(\w+)` \| (\d+) \| (.+?) \| (yes|no) \| .+ \|$/gm)]
  const documented = Object.fromEntries(
    rows.map(([, code, status, title, retryable]) => [
      code,
      { status: Number(status), title, retryable: retryable === 'yes' },
    ]),
  )
  expect(rows).toHaveLength(Object.keys(ERRORS).length)
  expect(documented).toEqual(ERRORS)
})

describe('the settings', () => {
  test('are found in server/config.ts', () => {
    expect(settings).toContain('PORT')
    expect(settings.length).toBeGreaterThan(10)
  })

  test('are all in .env.example, and nothing else is', () => {
    const shown = [...read('.env.example').matchAll(/^#?([A-Z_]+)=/gm)].map(([, name]) => name)
    expect(shown).toEqual(settings)
  })

  test('are all in the table of README.md, and nothing else is', () => {
    const table = /\n\| Setting \|[\s\S]*?\n\n/.exec(read('README.md'))?.[0] ?? ''
    const shown = [...table.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name)
    expect(shown.sort()).toEqual(
      settings
        .filter((name) => name !== 'NODE_ENV')
        .concat('NODE_ENV')
        .sort(),
    )
  })

  test('in .env.example are values that the product takes', () => {
    const values = [...read('.env.example').matchAll(/^#?([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [
      name,
      value,
    ])
    expect(() => readConfig(Object.fromEntries(values))).not.toThrow()
  })
})

test('every link of the documents leads to a file', () => {
  const documents = ['README.md', 'CHANGELOG.md', ...filesIn(['docs'], /\.md$/)]
  const dead = documents.flatMap((document) =>
    [...read(document).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
      .map(([, target]) => String(target))
      .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(ROOT, dirname(document), target)))
      .map((target) => `${document}: ${target}`),
  )
  expect(dead).toEqual([])
})

test('every file that the documents name in code exists', () => {
  const documents = [
    'README.md',
    ...filesIn(['docs'], /\.md$/).filter((path) => path !== 'docs/benchmarks.md'),
  ]
  const missing = documents.flatMap((document) =>
    [...read(document).matchAll(/`((?:adapters|models|server|client|test|deploy|bin)\/[\w./-]*)`/g)]
      .map(([, path]) => String(path))
      .filter((path) => !existsSync(join(ROOT, path)))
      .map((path) => `${document}: ${path}`),
  )
  expect(missing).toEqual([])
})
