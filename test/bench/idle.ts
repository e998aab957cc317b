import { residentMb } from './process-stats.ts'
import { Product } from './product.ts'

const QUIET_MS = 10_000

/** A server that was set up before, started, and left alone. */
export async function measureIdle(): Promise<string[]> {
  const product = await Product.start()
  try {
    await product.node.kill('SIGTERM')
    const since = performance.now()
    await product.node.start()
    const startMs = performance.now() - since
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
    const { pid } = product.node
    return [
      `idle, ${QUIET_MS / 1000} s after a start that took ${(startMs / 1000).toFixed(1)} s: ${residentMb(pid, 'VmRSS')} MB resident, ${residentMb(pid, 'VmHWM')} MB at most`,
    ]
  } finally {
    await product.end()
  }
}
