import { Loader } from '@mantine/core'
import { IconMessages, IconMoodEmpty } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import type { ConversationId } from '../../../models/ids.ts'
import { Blank } from '../design/Blank.tsx'
import { nameOf } from '../design/plain.ts'
import { useUi } from '../design/ui.ts'
import { closeConversation, openConversation } from '../live/socket.ts'
import { useLive } from '../live/store.ts'
import { text } from '../text.ts'
import { Composer } from './Composer.tsx'
import classes from './Conversation.module.css'
import { Header } from './Header.tsx'
import { PersonPanel } from './PersonPanel.tsx'
import { Timeline } from './Timeline.tsx'
import { TypingLine } from './TypingLine.tsx'
import { loadConversation } from './use-timeline.ts'

interface Props {
  id: ConversationId | undefined
  /** Where the list is, for the way back on a phone. */
  back: string
}

export function Conversation({ id, back }: Props) {
  if (!id)
    return (
      <main className={classes.empty} data-pane="conversation">
        <Blank
          title={text.conversation.none}
          lead={text.conversation.noneLead}
          icon={<IconMessages size={24} stroke={1.6} />}
        />
      </main>
    )
  return <Opened key={id} id={id} back={back} />
}

function Opened({ id, back }: { id: ConversationId; back: string }) {
  const conversation = useLive((state) => state.conversations[id])
  const wanted = useLive((state) => state.cursor !== null && !state.conversations[id])
  const [missing, setMissing] = useState(false)
  const detailsOpen = useUi((ui) => ui.detailsOpen)
  useEffect(() => {
    openConversation(id)
    return () => closeConversation(id)
  }, [id])
  useEffect(() => {
    if (wanted) loadConversation(id).then((answer) => setMissing(answer === 'missing'))
  }, [id, wanted])

  if (!conversation)
    return (
      <main className={classes.empty} data-pane="conversation">
        {missing ? (
          <Blank
            title={text.conversation.missing}
            lead={text.conversation.missingLead}
            icon={<IconMoodEmpty size={24} stroke={1.6} />}
          />
        ) : (
          <div className={classes.wait}>
            <Loader role="status" size="sm" color="gray" aria-label={text.loading} />
          </div>
        )}
      </main>
    )
  return (
    <main
      className={classes.pane}
      data-pane="conversation"
      data-details={detailsOpen || undefined}
      aria-label={text.conversation.label(nameOf(conversation.contact))}
      data-testid="conversation"
      data-conversation-id={id}
    >
      <div className={classes.talk}>
        <Header conversation={conversation} back={back} />
        <Timeline conversation={conversation} />
        <TypingLine conversation={conversation} />
        <Composer conversation={conversation} />
      </div>
      {detailsOpen && <PersonPanel conversation={conversation} />}
    </main>
  )
}
