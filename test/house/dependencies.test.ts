import { expect, test } from 'vitest'
import { filesIn, importsOf, placesOf, read } from './source.ts'

interface Lock {
  packages: Record<string, { version?: string; link?: boolean }>
}
const lock = JSON.parse(read('package-lock.json')) as Lock
const manifest = JSON.parse(read('package.json')) as Record<
  'dependencies' | 'devDependencies',
  Record<string, string>
>

/** Below these a package has a hole that is public, or loses messages with what we use it with. */
const FLOORS: Record<string, string> = {
  'socket.io-parser': '4.2.6',
  'engine.io': '6.6.7',
  ws: '8.21.0',
  multer: '2.5.0',
  ioredis: '6.0.0',
  mongoose: '9.12.1',
}

const atLeast = (version: string, floor: string): boolean => {
  const [have, want] = [version, floor].map((text) =>
    text.split('.').map((part) => Number.parseInt(part, 10)),
  )
  for (const [index, part] of (want ?? []).entries()) {
    const difference = (have?.[index] ?? 0) - part
    if (difference !== 0) return difference > 0
  }
  return true
}

const versionsOf = (name: string): string[] =>
  Object.entries(lock.packages)
    .filter(([path]) => path === `node_modules/${name}` || path.endsWith(`/node_modules/${name}`))
    .map(([, { version }]) => version ?? '')

test('versions are compared by their numbers', () => {
  expect(atLeast('4.2.10', '4.2.6')).toBe(true)
  expect(atLeast('4.2.5', '4.2.6')).toBe(false)
  expect(atLeast('5.0.0', '4.2.6')).toBe(true)
  expect(atLeast('8.20.9', '8.21.0')).toBe(false)
})

test.each(Object.entries(FLOORS))('%s is at least %s, wherever it is', (name, floor) => {
  const versions = versionsOf(name)
  expect(versions).not.toEqual([])
  expect(versions.filter((version) => !atLeast(version, floor))).toEqual([])
})

test('every version is exact: the same commit is the same program', () => {
  const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
    ([, version]) => !/^\d+\.\d+\.\d+$/.test(version),
  )
  expect(loose).toEqual([])
})

test('what is imported at run time is a dependency, and every dependency is used', () => {
  const files = filesIn(['server', 'adapters', 'models'], /\.ts$/)
  const named = (spelled: string) =>
    spelled
      .split('/')
      .slice(0, spelled.startsWith('@') ? 2 : 1)
      .join('/')
  const used = new Set(
    files
      .flatMap((file) => importsOf(file))
      .filter((edge) => !edge.ours && !edge.to.startsWith('node:') && !edge.typeOnly)
      .map((edge) => named(edge.to)),
  )
  expect([...used].filter((name) => !(name in manifest.dependencies))).toEqual([])
  const mentioned = (name: string) => placesOf(new RegExp(`['"]${name}[/'"]`), files).length > 0
  expect(Object.keys(manifest.dependencies).filter((name) => !used.has(name) && !mentioned(name))).toEqual([])
})
