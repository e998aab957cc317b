import { parseArgs } from 'node:util'

export const MEASURES = ['inbound', 'rate', 'outbound', 'idle', 'recovery', 'store'] as const
/** The store by itself takes as long as all else together, so it runs when it is asked for. */
const BY_DEFAULT = MEASURES.filter((measure) => measure !== 'store')
export type Measure = (typeof MEASURES)[number]

export interface Options {
  measures: ReadonlySet<Measure>
  /** Webhooks a second in the open loop. */
  rate: number
  /** Seconds of each latency run that count, after its warm-up. */
  latencySeconds: number
  rateSeconds: number
  /** Replies in each outbound run. */
  messages: number
  /** Runs of the floor and of the product: they alternate, F-P-P-F-F-P, and the median counts. */
  repeats: number
  /** Documents in the larger collection of the store's bench. */
  documents: number
  /** Seconds that a turn of one of its operations takes at most. */
  storeSeconds: number
  /** Writes CPU profiles of the product here. */
  profile: string | undefined
}

export const USAGE = `npm run bench -- [${MEASURES.join('] [')}] [--quick | --long] [--rate 350] [--messages 2000] [--documents 1000000] [--profile DIR]`

/** @throws Error with the usage for what it does not know */
export function readOptions(argv: string[]): Options {
  const { values, positionals } = parse(argv)
  const unknown = positionals.find((word) => !MEASURES.includes(word as Measure))
  if (unknown !== undefined) throw new Error(`${unknown} is no measure. Usage: ${USAGE}`)
  const { quick, long } = values
  return {
    measures: new Set(positionals.length > 0 ? (positionals as Measure[]) : BY_DEFAULT),
    rate: count('--rate', values.rate, 5_000),
    latencySeconds: quick ? 4 : long ? 120 : 8,
    rateSeconds: quick ? 4 : long ? 600 : 10,
    messages: count('--messages', values.messages ?? (quick ? '600' : '2000'), 200_000),
    repeats: quick ? 1 : 3,
    documents: count('--documents', values.documents ?? (quick ? '100000' : '1000000'), 10_000_000),
    storeSeconds: quick ? 0.5 : 2,
    profile: values.profile,
  }
}

function parse(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        long: { type: 'boolean', default: false },
        rate: { type: 'string', default: '350' },
        messages: { type: 'string' },
        documents: { type: 'string' },
        profile: { type: 'string' },
      },
    })
  } catch (error) {
    throw new Error(`${(error as Error).message} Usage: ${USAGE}`)
  }
}

function count(name: string, text: string, most: number): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1 || number > most)
    throw new Error(`${name} is a whole number from 1 to ${most}. Usage: ${USAGE}`)
  return number
}
