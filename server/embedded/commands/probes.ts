import { badValue, CommandError } from '../errors.ts'
import { type Handler, ok, type Request } from './request.ts'

/* What shells and tools ask when they connect, so that they need not be told that the answers are empty. */

export const getCmdLineOpts: Handler = {
  options: ['getCmdLineOpts'],
  run: () => ok({ argv: ['embedded'], parsed: {} }),
}

/** The store writes its log where the process that holds it writes its own. */
export const getLog: Handler = {
  options: ['getLog'],
  run: (request: Request) => {
    const name = request.string('getLog')
    if (name === '*') return ok({ names: ['global', 'startupWarnings'] })
    if (name !== 'global' && name !== 'startupWarnings')
      throw new CommandError(96, `No log named '${name ?? ''}'`)
    return ok({ totalLinesWritten: 0, log: [] })
  },
}

export const whatsmyuri: Handler = {
  options: ['whatsmyuri'],
  run: () => ok({ you: '127.0.0.1:0' }),
}

/** Nothing is profiled, and asking for it is refused. */
export const profile: Handler = {
  options: ['profile', 'slowms', 'sampleRate', 'filter'],
  run: (request: Request) => {
    const level = request.number('profile', -1)
    if (level > 0) throw badValue('profiling is not supported by the embedded store; a MongoDB server has it')
    return ok({ was: 0, slowms: 100, sampleRate: 1 })
  },
}
