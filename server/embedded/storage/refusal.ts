import { CommandError } from '../errors.ts'

const FULL = /No space left on device|Disk quota exceeded|File too large/

/** What writers are told while the store cannot write. */
export function refusalOf(error: Error): CommandError {
  const why = (error.cause as Error | undefined)?.message ?? error.message
  return new CommandError(
    FULL.test(why) ? 14031 : 8,
    `the store could not write to disk: ${why}. It reads on, and writes again as soon as the disk takes it.`,
  )
}
