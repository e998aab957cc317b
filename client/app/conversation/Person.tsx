import { Button } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'react-router'
import type { ContactView, ConversationView } from '../../../server/realtime/protocol.ts'
import { deleteMerge, fetchContact } from '../api/endpoints.ts'
import { ChannelIcon } from '../design/ChannelIcon.tsx'
import { complain } from '../design/complain.ts'
import { plain } from '../design/plain.ts'
import { fullDay } from '../design/time.ts'
import { text } from '../text.ts'
import { MergeDialog } from './MergeDialog.tsx'
import classes from './PersonPanel.module.css'

/** What is known of the person beyond this conversation: how else they are reached, and what was said there. */
export function Person({ conversation }: { conversation: ConversationView }) {
  const { contact, id } = conversation
  const queries = useQueryClient()
  const [merging, setMerging] = useState(false)
  const { data } = useQuery({
    queryKey: ['contact', contact.id, conversation.lastActivityAt],
    queryFn: () => fetchContact(contact.id),
    placeholderData: (before) => (before?.id === contact.id ? before : undefined),
  })
  if (!data) return null
  const others = data.conversations.filter((each) => each.id !== id)
  const changed = (person: ContactView) =>
    queries.setQueryData(['contact', contact.id, conversation.lastActivityAt], person)
  return (
    <>
      <section className={classes.part} aria-labelledby="identities">
        <h2 id="identities">{text.person.identities}</h2>
        <ul data-testid="identities">
          {data.identities.map((identity) => (
            <li key={identity.id}>
              <ChannelIcon channel={identity.channel} size={14} />
              <bdi>{plain(identity.address)}</bdi>
              {identity.optedOut && <small>{text.person.optedOut}</small>}
            </li>
          ))}
        </ul>
        {data.merges.map((merge) => (
          <p key={merge.id} className={classes.merged} data-testid="merged">
            <span>{text.person.mergedWith(plain(merge.from))}</span>
            <Button
              size="compact-xs"
              variant="subtle"
              onClick={() => void deleteMerge(data.id, merge.id).then(changed).catch(complain)}
              data-testid="undo-merge"
            >
              {text.person.undoMerge}
            </Button>
          </p>
        ))}
        <Button size="compact-xs" variant="default" onClick={() => setMerging(true)} data-testid="merge">
          {text.person.merge}
        </Button>
        <MergeDialog person={data} opened={merging} close={() => setMerging(false)} done={changed} />
      </section>
      {others.length > 0 && (
        <section className={classes.part} aria-labelledby="others">
          <h2 id="others">{text.person.otherConversations}</h2>
          <ul data-testid="other-conversations">
            {others.map((other) => (
              <li key={other.id}>
                <Link to={`/all/${other.id}`}>
                  <ChannelIcon channel={other.channel} size={14} />
                  <bdi>{plain(other.lastMessage?.preview ?? text.person.nothingSaid)}</bdi>
                  <small>{fullDay(other.lastActivityAt)}</small>
                </Link>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  )
}
