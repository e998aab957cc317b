import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
const LIBRARIES = ['express', 'mongoose', 'socket.io', 'undici', 'classic-level']

/** What a figure means nothing without. */
export function describeMachine(): string[] {
  const [cpu] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return [
    `machine    ${availableParallelism()} cores (${cpu?.model.trim() ?? 'unknown'}), ${memory} GiB, load before the run ${loadavg()[0]?.toFixed(2)}`,
    `commit     ${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', 'server', 'models', 'adapters') ? ' with uncommitted changes to the server' : ''}`,
    `versions   Node ${process.versions.node}, ${LIBRARIES.map(versionOf).join(', ')}`,
  ]
}

/** What was said and asked of product and floor. */
export const describeConversation = (): string[] => [
  'durability every acknowledged write is synced to disk first (embedded store, group commit), in product and floor alike',
  'payload    a signed Twilio form of about 480 bytes with a text of 120; 200 customers in turn; ten agents hold sockets',
  'processes  server, generator and provider apart, all on this machine, over loopback',
]

function git(...command: string[]): string {
  try {
    return execFileSync('git', command, { cwd: ROOT, encoding: 'utf8' }).trim()
  } catch {
    return ''
  }
}

function versionOf(library: string): string {
  const { version } = JSON.parse(
    readFileSync(join(ROOT, 'node_modules', library, 'package.json'), 'utf8'),
  ) as { version: string }
  return `${library} ${version}`
}
