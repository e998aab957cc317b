import { eventually } from '../support/eventually.ts'
import type { Stage } from './stage.ts'
import { spread } from './statistics.ts'

const RATE = 200
const SECONDS = 8
const KILLED_AFTER_MS = 2_000

/** kill -9 under load: how long until it serves again, and whether all that was acknowledged is there. */
export async function measureRecovery(stage: Stage): Promise<string[]> {
  const { product, generator, options } = stage
  const servingMs: number[] = []
  const caughtUpMs: number[] = []
  for (let round = 0; round < options.repeats; round++) {
    const before = (await product.conversations()).inbound
    const insisting = generator.ask<{ acknowledged: number }>('insist', {
      name: 'product',
      run: stage.nextRun(),
      rate: RATE,
      seconds: SECONDS,
    })
    await new Promise((resolve) => setTimeout(resolve, KILLED_AFTER_MS))
    await product.node.kill('SIGKILL')
    const killed = performance.now()
    await product.node.start()
    servingMs.push(performance.now() - killed)
    const { acknowledged } = await insisting
    const ended = performance.now()
    const stored = async () => (await product.conversations()).inbound - before
    await eventually(async () => (await stored()) >= acknowledged, 60_000).catch(() => {})
    caughtUpMs.push(performance.now() - ended)
    const difference = acknowledged - (await stored())
    if (difference !== 0)
      stage.failures.push(`recovery: ${acknowledged} acknowledged, ${difference} more than stored`)
    stage.noteAcknowledged('product', acknowledged)
  }
  return [
    `kill -9 under ${RATE}/s: serving again after ${spread(servingMs, 0)} ms; all stored ${spread(caughtUpMs, 0)} ms after the load ended`,
  ]
}
