import { useMantineColorScheme } from '@mantine/core'
import {
  Spotlight,
  type SpotlightActionData,
  type SpotlightActionGroupData,
  spotlight,
} from '@mantine/spotlight'
import { useEffect } from 'react'
import { useNavigate } from 'react-router'
import type { ConversationId } from '../../../models/ids.ts'
import { assign, snooze, toggleResolution, wake } from '../conversation/actions.ts'
import { writeIn } from '../conversation/drafts.ts'
import { snoozeChoices } from '../conversation/snooze-choices.ts'
import { channelName } from '../design/ChannelIcon.tsx'
import { nameOf, plain } from '../design/plain.ts'
import { focusComposer, focusSearch, setUi, toggleDetails, useUi } from '../design/ui.ts'
import { useLive } from '../live/store.ts'
import { signOut } from '../session/session.ts'
import { useAgents, useInboxes, useMe } from '../session/useWorkspace.ts'
import { text } from '../text.ts'
import { usePalette } from './open-palette.ts'
import { NAMED_VIEWS, type View, viewKey } from './views.ts'

interface Props {
  view: View
  chosen: ConversationId | undefined
}

export default function Palette({ view, chosen }: Props) {
  const asked = usePalette((state) => state.asked)
  useEffect(() => {
    if (asked) spotlight.open()
  }, [asked])
  const groups = [
    { group: text.palette.conversation, actions: useConversationActions(chosen) },
    { group: text.palette.goTo, actions: usePlaces() },
    { group: text.palette.open, actions: useContacts(view) },
    { group: text.palette.general, actions: useGeneral() },
  ].filter(({ actions }) => actions.length)
  return (
    <Spotlight
      actions={groups as SpotlightActionGroupData[]}
      limit={30}
      scrollable
      maxHeight={420}
      overlayProps={{ backgroundOpacity: 0.3, blur: 1 }}
      attributes={{ content: { 'aria-label': text.palette.label } }}
      shortcut={null}
      nothingFound={text.palette.nothing}
      searchProps={{ placeholder: text.palette.placeholder, 'aria-label': text.palette.label }}
    />
  )
}

const action = (id: string, label: string, run: () => void, description?: string): SpotlightActionData => ({
  id,
  label,
  onClick: run,
  ...(description ? { description } : {}),
})

function useConversationActions(chosen: ConversationId | undefined): SpotlightActionData[] {
  const agents = useAgents()
  const me = useMe()
  const conversation = useLive(({ conversations }) => (chosen ? conversations[chosen] : undefined))
  if (!conversation) return []
  const { id } = conversation
  const write = (mode: 'reply' | 'note') => () => {
    writeIn(id, mode)
    // The palette gives the focus back to where it was; this comes after.
    setTimeout(focusComposer, 50)
  }
  return [
    action('reply', text.keys.reply, write('reply')),
    action('note', text.keys.note, write('note')),
    action(
      'resolve',
      conversation.status === 'resolved' ? text.conversation.reopen : text.conversation.resolve,
      () => toggleResolution(id),
    ),
    action('assign-me', text.conversation.assignMe, () => assign(id, me.id)),
    ...agents
      .filter((agent) => agent.id !== me.id)
      .map((agent) =>
        action(`assign-${agent.id}`, text.palette.assignTo(agent.name), () => assign(id, agent.id)),
      ),
    action('assign-none', text.palette.assignTo(text.conversation.assignNobody), () => assign(id, null)),
    ...(conversation.status === 'snoozed' ? [action('wake', text.conversation.wake, () => wake(id))] : []),
    ...snoozeChoices(new Date()).map(({ name, until }) =>
      action(`snooze-${name}`, `${text.conversation.snooze}: ${name}`, () => snooze(id, until)),
    ),
    action('details', text.conversation.showDetails, toggleDetails),
  ]
}

function usePlaces(): SpotlightActionData[] {
  const navigate = useNavigate()
  const { inboxes } = useInboxes()
  const me = useMe()
  return [
    ...NAMED_VIEWS.map((name) => action(`view-${name}`, text.nav[name], () => navigate(`/${name}`))),
    ...inboxes.map(({ id, name }) => action(`inbox-${id}`, name, () => navigate(`/inbox/${id}`))),
    ...(me.role === 'admin' ? [action('admin', text.nav.admin, () => navigate('/admin'))] : []),
  ]
}

const NEAREST = 50

function useContacts(view: View): SpotlightActionData[] {
  const navigate = useNavigate()
  const order = useUi((ui) => ui.order)
  const conversations = useLive((state) => state.conversations)
  return order.slice(0, NEAREST).flatMap((id) => {
    const row = conversations[id]
    if (!row) return []
    return [
      action(
        `open-${id}`,
        nameOf(row.contact),
        () => navigate(`/${viewKey(view)}/c/${id}`),
        `${channelName(row.channel)} · ${plain(row.contact.address)}`,
      ),
    ]
  })
}

function useGeneral(): SpotlightActionData[] {
  const { setColorScheme } = useMantineColorScheme()
  return [
    action('search', text.list.search, () => setTimeout(focusSearch, 50)),
    action('light', text.palette.theme(text.nav.light), () => setColorScheme('light')),
    action('dark', text.palette.theme(text.nav.dark), () => setColorScheme('dark')),
    action('system', text.palette.theme(text.nav.system), () => setColorScheme('auto')),
    action('help', text.nav.help, () => setUi({ helpOpen: true })),
    action('sign-out', text.nav.signOut, () => void signOut()),
  ]
}
