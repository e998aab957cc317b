import { Button, Loader, VisuallyHidden } from '@mantine/core'
import { IconArrowDown } from '@tabler/icons-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { Virtuoso, type VirtuosoHandle } from 'react-virtuoso'
import type { MessageId } from '../../../models/ids.ts'
import type { ConversationView } from '../../../server/realtime/protocol.ts'
import { Blank } from '../design/Blank.tsx'
import { plain } from '../design/plain.ts'
import { dayName, useNow } from '../design/time.ts'
import type { Timeline as TimelineState } from '../live/state.ts'
import { live, useLive } from '../live/store.ts'
import { useMe } from '../session/useWorkspace.ts'
import { text } from '../text.ts'
import { firstUnreadOf, type Line, linesOf } from './lines.ts'
import { previewOf } from './preview.ts'
import classes from './Timeline.module.css'
import { Turn } from './Turn.tsx'
import { useReading } from './use-reading.ts'
import { BOTTOM_PX, useStick } from './use-stick.ts'
import { loadLatest, loadNewer, loadOlder, useTimeline } from './use-timeline.ts'

/** Virtuoso counts rows from the first it ever saw; this leaves room for the older ones above. */
const BASE = 1_000_000
/** With fewer than this unread, the bottom shows them all. */
const MANY_UNREAD = 8
const PAGES_TO_A_QUOTE = 40
const GLOW_MS = 1_600

export function Timeline({ conversation }: { conversation: ConversationView }) {
  const timeline = useTimeline(conversation.id)
  if (timeline?.failed && !timeline.ready)
    return (
      <div className={classes.timeline}>
        <Blank title={text.conversation.loadFailed}>
          <Button variant="default" size="xs" onClick={() => void loadLatest(conversation.id)}>
            {text.tryAgain}
          </Button>
        </Blank>
      </div>
    )
  if (!timeline?.ready)
    return (
      <div className={classes.wait}>
        <Loader role="status" size="sm" color="gray" aria-label={text.loading} />
      </div>
    )
  return <Lines conversation={conversation} timeline={timeline} />
}

interface Props {
  conversation: ConversationView
  timeline: TimelineState
}

function Lines({ conversation, timeline }: Props) {
  const { id } = conversation
  const me = useMe()
  const allPending = useLive((state) => state.pending)
  const pending = useMemo(() => allPending.filter((mine) => mine.conversation === id), [allPending, id])
  const [firstUnread] = useState(() => {
    const reading = live.getState().readings[id]
    return reading ? firstUnreadOf(timeline.messages, reading.rev) : null
  })
  const lines = useMemo(
    () => linesOf(timeline.messages, pending, me, firstUnread),
    [timeline.messages, pending, me, firstUnread],
  )
  const list = useRef<VirtuosoHandle>(null)
  const [atBottom, setAtBottom] = useState(true)
  const [glowing, setGlowing] = useState<MessageId | null>(null)
  const newest = timeline.hasNewer ? undefined : timeline.messages.at(-1)?.rev
  useReading(conversation, newest, atBottom)

  const anchor = lines.findIndex(({ message }) => message.rev >= timeline.anchor)
  const [start] = useState(() => startAt(lines))
  const { scrollerRef, grew, letGo, stick } = useStick(list, start.align === 'end')
  const missed = useMissed(lines, atBottom)

  const toBottom = () => {
    stick()
    list.current?.scrollToIndex({ index: 'LAST', align: 'end', behavior: 'auto' })
  }

  const jumpTo = async (message: MessageId) => {
    for (let page = 0; page < PAGES_TO_A_QUOTE && !holds(conversation, message); page++) {
      if (!live.getState().timelines[id]?.hasOlder) return
      await loadOlder(id)
    }
    // The rows of pages just loaded are drawn first.
    requestAnimationFrame(() => {
      const messages = live.getState().timelines[id]?.messages ?? []
      const index = linesOf(messages, [], me, null).findIndex((line) => line.message.id === message)
      if (index < 0) return
      letGo()
      list.current?.scrollToIndex({ index, align: 'center' })
      setGlowing(message)
      setTimeout(() => setGlowing(null), GLOW_MS)
    })
  }

  return (
    <div className={classes.timeline} data-testid="timeline">
      <Virtuoso
        ref={list}
        className={classes.scroller}
        data={lines}
        firstItemIndex={BASE - Math.max(anchor, 0)}
        initialTopMostItemIndex={start}
        computeItemKey={(_, line) => line.key}
        alignToBottom
        increaseViewportBy={{ top: 800, bottom: 300 }}
        startReached={() => void loadOlder(id)}
        endReached={() => void loadNewer(id)}
        followOutput={(bottom) => (bottom || lines.at(-1)?.pending ? 'auto' : false)}
        atBottomThreshold={BOTTOM_PX}
        atBottomStateChange={setAtBottom}
        scrollerRef={scrollerRef}
        totalListHeightChanged={grew}
        tabIndex={-1}
        context={{ hasOlder: timeline.hasOlder }}
        components={COMPONENTS}
        itemContent={(_, line) => (
          <LineView
            line={line}
            conversation={conversation}
            glowing={line.message.id === glowing}
            onJump={jumpTo}
          />
        )}
      />
      {!atBottom && (
        <button
          type="button"
          className={classes.pill}
          data-news={missed > 0 || undefined}
          onClick={toBottom}
          aria-label={missed > 0 ? text.conversation.newMessages(missed) : text.conversation.toLatest}
          data-testid="to-latest"
        >
          <IconArrowDown size={14} aria-hidden="true" />
          {missed > 0 && text.conversation.newMessages(missed)}
        </button>
      )}
      <Announcer lines={lines} />
    </div>
  )
}

/** Where reading goes on: at the first unread where there are many, else at the end. */
function startAt(lines: Line[]) {
  const unread = lines.findIndex((line) => line.unread)
  return unread >= 0 && lines.length - unread > MANY_UNREAD
    ? { index: unread, align: 'start' as const }
    : { index: Math.max(0, lines.length - 1), align: 'end' as const }
}

const holds = ({ id }: ConversationView, message: MessageId): boolean =>
  live.getState().timelines[id]?.messages.some((held) => held.id === message) ?? false

/** Lines that came while the agent looked at older ones. */
function useMissed(lines: Line[], atBottom: boolean): number {
  const last = lines.at(-1)?.key
  const [seen, setSeen] = useState(last)
  useEffect(() => {
    if (atBottom) setSeen(last)
  }, [atBottom, last])
  if (atBottom) return 0
  const index = lines.findIndex(({ key }) => key === seen)
  return index < 0 ? 0 : lines.length - 1 - index
}

const Top = ({ context }: { context?: { hasOlder: boolean } }) => (
  <div className={classes.top}>
    {context?.hasOlder ? (
      <Loader role="status" size="xs" color="gray" aria-label={text.conversation.olderLoading} />
    ) : (
      text.conversation.beginning
    )}
  </div>
)
const COMPONENTS = { Header: Top, Footer: () => <div className={classes.bottom} /> }

interface LineProps {
  line: Line
  conversation: ConversationView
  glowing: boolean
  onJump: (message: MessageId) => void
}

function LineView({ line, conversation, glowing, onJump }: LineProps) {
  return (
    <div className={classes.line} data-first={line.first || undefined}>
      {line.day && <DayLine iso={line.message.createdAt} />}
      {line.unread && (
        <div className={classes.unread} data-testid="unread-line">
          <span>{text.conversation.unreadLine}</span>
        </div>
      )}
      <Turn line={line} conversation={conversation} glowing={glowing} onJump={onJump} />
    </div>
  )
}

function DayLine({ iso }: { iso: string }) {
  const now = useNow()
  return (
    <div className={classes.day}>
      <span>{dayName(iso, now)}</span>
    </div>
  )
}

/** Says new lines of others to a screen reader, once each; what older pages bring is not news. */
function Announcer({ lines }: { lines: Line[] }) {
  const [first] = useState(() => lines.at(-1)?.message.rev ?? 0)
  const news = lines.findLast(({ message, pending }) => !pending && message.direction === 'inbound')?.message
  const said =
    news && news.rev > first ? text.conversation.said(plain(news.author.name), previewOf(news.content)) : ''
  return (
    <VisuallyHidden aria-live="polite" role="status">
      {said}
    </VisuallyHidden>
  )
}
