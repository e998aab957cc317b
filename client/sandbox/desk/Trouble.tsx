import type { FaultView, SandboxChannel } from '../../../server/sandbox/protocol.ts'
import { appOf } from '../apps.tsx'
import type { Doings } from '../useSandbox.ts'

interface Mischief {
  title: string
  sentence: string
  fault: Pick<FaultView, 'kind' | 'ms' | 'status' | 'retryAfter' | 'on'>
  /** Where the provider tells of receipts. */
  receipts?: true
}

const MISCHIEFS: Mischief[] = [
  {
    title: 'Provider is down',
    sentence: 'Every call is answered 503. Replies wait, and leave by themselves once it is back.',
    fault: { kind: 'status', status: 503, on: 'all' },
  },
  {
    title: 'Slow',
    sentence: 'Each send takes three seconds. Other conversations do not wait for it.',
    fault: { kind: 'latency', ms: 3000, on: 'sends' },
  },
  {
    title: 'Too many requests',
    sentence: 'Sends are answered 429, “wait five seconds”. The inbox keeps to it.',
    fault: { kind: 'status', status: 429, retryAfter: 5, on: 'sends' },
  },
  {
    title: 'Takes it, then hangs up',
    sentence: 'The message arrives and the line breaks before the answer. It must not be sent twice.',
    fault: { kind: 'accept-then-drop', on: 'sends' },
  },
  {
    title: 'Never answers',
    sentence: 'Sends hang until the inbox gives up, and it must say that it does not know.',
    fault: { kind: 'hang', on: 'sends' },
  },
  {
    title: 'Says everything twice',
    sentence: 'Each webhook is posted twice. The inbox shows it once.',
    fault: { kind: 'duplicate', on: 'sends' },
  },
  {
    title: 'Receipts out of order',
    sentence: '“Delivered” comes before “sent”. A status never steps back.',
    fault: { kind: 'reorder', on: 'sends' },
    receipts: true,
  },
  {
    title: 'No receipts',
    sentence: 'The message arrives and nobody says so. It stays at “sent”.',
    fault: { kind: 'drop', on: 'sends' },
    receipts: true,
  },
]

interface Props {
  channel: SandboxChannel
  faults: FaultView[]
  doings: Doings
}

export function Trouble({ channel, faults, doings }: Props) {
  const { provider, providerName: name, receipts: told } = appOf(channel)
  const here = faults.filter((fault) => fault.provider === provider)
  return (
    <section className="card" aria-labelledby="trouble-title">
      <div className="card-title">
        <h2 id="trouble-title">Make trouble</h2>
        {here.length > 0 && (
          <button
            type="button"
            className="plain"
            onClick={() => doings.removeFaults(here.map(({ id }) => id))}
          >
            End it all
          </button>
        )}
      </div>
      <p className="card-lead">What should go wrong at {name}?</p>
      <ul className="mischiefs">
        {MISCHIEFS.filter(({ receipts }) => told || !receipts).map((mischief) => {
          const struck = here.filter((fault) => isSame(fault, mischief))
          return (
            <li key={mischief.title}>
              <label className="mischief">
                <span>
                  <strong>{mischief.title}</strong>
                  <Strikes faults={struck} />
                  <small>{mischief.sentence}</small>
                </span>
                <input
                  type="checkbox"
                  role="switch"
                  className="switch"
                  checked={struck.length > 0}
                  aria-checked={struck.length > 0}
                  onChange={() =>
                    struck.length > 0
                      ? doings.removeFaults(struck.map(({ id }) => id))
                      : doings.addFault({ provider, ...mischief.fault })
                  }
                />
              </label>
            </li>
          )
        })}
      </ul>
    </section>
  )
}

const isSame = (fault: FaultView, { fault: { kind, status } }: Mischief): boolean =>
  fault.kind === kind && fault.status === status

function Strikes({ faults }: { faults: FaultView[] }) {
  const struck = faults.reduce((sum, fault) => sum + fault.struck, 0)
  return struck > 0 ? <span className="strikes">struck {struck}×</span> : null
}
