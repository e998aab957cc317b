import { readFileSync } from 'node:fs'

/** Linux counts a process's time in hundredths of a second, whatever the kernel's own tick. */
const TICKS_PER_SECOND = 100

/** Seconds of processor time that a process, all its threads, has used so far. */
export function cpuSeconds(pid: number): number {
  const [user = 0, system = 0] = ticks(pid)
  return (user + system) / TICKS_PER_SECOND
}

/** The same, with what its children had used that have ended. */
export const cpuSecondsWithEnded = (pid: number): number =>
  ticks(pid).reduce((sum, each) => sum + each, 0) / TICKS_PER_SECOND

/** In user mode, in the kernel, and both of ended children. */
function ticks(pid: number): number[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).map(Number)
}

/** Megabytes in memory: now (`VmRSS`) or the most there ever were (`VmHWM`). */
export function residentMb(pid: number, which: 'VmRSS' | 'VmHWM'): number {
  const [, kilobytes] =
    new RegExp(`${which}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kilobytes) / 1024)
}

/** Percent of one core that each process used between now and the call of what is returned. */
export function cpuMeter(pids: Record<string, number>): () => Record<string, number> {
  const began = performance.now()
  const before = Object.entries(pids).map(([name, pid]) => [name, pid, cpuSeconds(pid)] as const)
  return () => {
    const seconds = (performance.now() - began) / 1000
    return Object.fromEntries(
      before.map(([name, pid, used]) => [name, Math.round(((cpuSeconds(pid) - used) / seconds) * 100)]),
    )
  }
}
