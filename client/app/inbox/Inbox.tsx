import { useMemo } from 'react'
import { Navigate, useParams } from 'react-router'
import type { ConversationId } from '../../../models/ids.ts'
import { Conversation } from '../conversation/Conversation.tsx'
import { ErrorBoundary } from '../design/ErrorBoundary.tsx'
import { useInbox } from '../session/useWorkspace.ts'
import { text } from '../text.ts'
import { ConnectionBanner } from './ConnectionBanner.tsx'
import { ConversationList } from './ConversationList.tsx'
import classes from './Inbox.module.css'
import { Shortcuts } from './Shortcuts.tsx'
import { useTitle } from './use-title.ts'
import { ViewsNav } from './ViewsNav.tsx'
import { viewKey, viewOf } from './views.ts'

/** The panes. On a phone they are pages: the list, then the conversation with a way back. */
export function Inbox({ view: fixed }: { view?: 'inbox' }) {
  const params = useParams<{ view: string; inbox: string; conversation: string }>()
  const view = useMemo(() => viewOf(fixed ?? params.view, params.inbox), [fixed, params.view, params.inbox])
  const inbox = useInbox(view?.name === 'inbox' ? view.inbox : undefined)
  useTitle()
  if (!view) return <Navigate to="/mine" replace />
  const chosen = params.conversation as ConversationId | undefined
  const name = view.name === 'inbox' ? (inbox?.name ?? '') : text.nav[view.name]
  return (
    <div className={classes.inbox} data-page={chosen ? 'conversation' : 'list'}>
      <ConnectionBanner />
      <ViewsNav view={view} />
      <ConversationList key={viewKey(view)} view={view} name={name} chosen={chosen} />
      <ErrorBoundary key={chosen}>
        <Conversation id={chosen} back={`/${viewKey(view)}`} />
      </ErrorBoundary>
      <Shortcuts view={view} chosen={chosen} />
    </div>
  )
}
