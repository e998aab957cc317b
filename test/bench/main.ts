import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { measureIdle } from './idle.ts'
import { measureLatency, measureRate } from './inbound.ts'
import { describeConversation, describeMachine } from './machine.ts'
import { type Measure, type Options, readOptions } from './options.ts'
import { measureOutbound } from './outbound.ts'
import { residentMb } from './process-stats.ts'
import { measureRecovery } from './recovery.ts'
import { Stage } from './stage.ts'
import { measureStore } from './store/main.ts'

/** Those that need the stage, in this order: the store is small for the latencies, and full for the recovery. */
const ON_STAGE: [Measure, (stage: Stage) => Promise<string[]>][] = [
  ['inbound', measureLatency],
  ['rate', measureRate],
  ['outbound', measureOutbound],
  ['recovery', measureRecovery],
]

const print = (lines: string[]): void => console.log(`${lines.join('\n')}\n`)

/** Runs what is asked for. Resolves to what went wrong. */
async function run(options: Options): Promise<string[]> {
  print(describeMachine())
  if (options.measures.has('store')) await measureStore(options, print)
  if (options.measures.has('idle')) print(await measureIdle())
  const wanted = ON_STAGE.filter(([measure]) => options.measures.has(measure))
  if (wanted.length === 0) return []
  print(describeConversation())
  const stage = await Stage.set(options)
  try {
    for (const [, measure] of wanted) {
      print(await measure(stage))
      await stage.compareStored()
    }
    const peak = { product: stage.pidOf('product'), floor: stage.floor.pid, generator: stage.generator.pid }
    const shown = Object.entries(peak).map(([name, pid]) => `${name} ${residentMb(pid, 'VmHWM')} MB`)
    print([`memory at most: ${shown.join(', ')}`])
  } finally {
    await stage.strike()
  }
  return stage.failures
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2))
  // What is measured is what is here, as it is installed.
  execFileSync('npm', ['run', '--silent', 'build:server'], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: 'inherit',
  })
  const began = performance.now()
  const failures = await run(options)
  console.log(`took ${Math.round((performance.now() - began) / 1000)} s`)
  for (const failure of failures) console.error(`FAILED: ${failure}`)
  return failures.length > 0 ? 1 : 0
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  },
)
