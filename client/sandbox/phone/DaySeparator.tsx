import type { BubbleView } from '../../../server/sandbox/protocol.ts'
import { dayOf } from '../format.ts'

export function DaySeparator({ at }: { at: string }) {
  const today = new Date().toDateString() === new Date(at).toDateString()
  return (
    <div className="day">
      <span className="day-name">{today ? 'Today' : dayOf(at)}</span>
    </div>
  )
}

export const isNewDay = ({ at }: BubbleView, before: BubbleView | undefined): boolean =>
  !before || new Date(at).toDateString() !== new Date(before.at).toDateString()
