import { Button, CloseButton, Skeleton, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconCoffee, IconMenu2, IconMessages, IconSearch } from '@tabler/icons-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { Link } from 'react-router'
import { Virtuoso } from 'react-virtuoso'
import type { ConversationId } from '../../../models/ids.ts'
import { pageUrl } from '../base.ts'
import { ActionIcon } from '../design/ActionIcon.tsx'
import { Blank } from '../design/Blank.tsx'
import { setUi, useUi } from '../design/ui.ts'
import { useInboxes, useMe, useSandbox } from '../session/useWorkspace.ts'
import { text } from '../text.ts'
import classes from './ConversationList.module.css'
import { Row } from './Row.tsx'
import { type List, useList, useSearch } from './use-list.ts'
import { type View, viewKey } from './views.ts'

const ROW_PX = 70

interface Props {
  view: View
  name: string
  chosen: ConversationId | undefined
}

export function ConversationList({ view, name, chosen }: Props) {
  const [typed, setTyped] = useState('')
  const [settled] = useDebouncedValue(typed.trim(), 200)
  const q = typed.trim() === '' ? '' : settled
  const held = useList(view)
  const found = useSearch(q)
  const list = q ? found : held
  const heading = q ? text.list.results(q) : name

  const order = useMemo(() => list.rows.map(({ id }) => id), [list.rows])
  useEffect(() => setUi({ order }), [order])

  return (
    <section className={classes.list} aria-label={text.list.label(heading)} data-testid="conversation-list">
      <header className={classes.header}>
        <ActionIcon
          className={classes.menu}
          label={text.list.menu}
          onClick={() => setUi({ navOpen: true })}
          icon={<IconMenu2 size={18} />}
        />
        <h1 className={classes.heading}>{name}</h1>
        <SearchField typed={typed} onType={setTyped} />
      </header>
      <div className={classes.rows}>
        <Rows list={list} view={view} chosen={chosen} searching={q !== ''} />
      </div>
    </section>
  )
}

function SearchField({ typed, onType }: { typed: string; onType: (q: string) => void }) {
  const field = useRef<HTMLInputElement>(null)
  const wished = useUi(({ focusSearch }) => focusSearch)
  useEffect(() => {
    if (wished) field.current?.focus()
  }, [wished])
  return (
    <TextInput
      ref={field}
      className={classes.search}
      size="xs"
      variant="filled"
      type="search"
      placeholder={text.list.search}
      aria-label={text.list.search}
      leftSection={<IconSearch size={14} />}
      rightSection={
        typed && <CloseButton size="xs" aria-label={text.list.clearSearch} onClick={() => onType('')} />
      }
      value={typed}
      onChange={(event) => onType(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        onType('')
        event.currentTarget.blur()
      }}
      data-testid="search-input"
    />
  )
}

interface RowsProps {
  list: List
  view: View
  chosen: ConversationId | undefined
  searching: boolean
}

function Rows({ list, view, chosen, searching }: RowsProps) {
  if (list.loading) return <Waiting />
  if (list.failed && !list.rows.length)
    return (
      <Blank title={text.list.failed}>
        <Button variant="default" size="xs" onClick={list.again}>
          {text.tryAgain}
        </Button>
      </Blank>
    )
  if (!list.rows.length) return <Empty view={view} searching={searching} />
  return (
    <Virtuoso
      data={list.rows}
      fixedItemHeight={ROW_PX}
      increaseViewportBy={400}
      computeItemKey={(_, row) => row.id}
      endReached={list.more}
      tabIndex={-1}
      itemContent={(_, row) => (
        <Row conversation={row} path={`/${viewKey(view)}/c/${row.id}`} chosen={row.id === chosen} />
      )}
    />
  )
}

const Waiting = () => (
  <div aria-busy="true" role="status" aria-label={text.loading}>
    {[70, 45, 60, 52, 66, 40].map((width) => (
      <div key={width} className={classes.waiting}>
        <Skeleton circle height={34} />
        <div className={classes.waitingLines}>
          <Skeleton height={10} width={`${width}%`} />
          <Skeleton height={9} width="85%" />
        </div>
      </div>
    ))}
  </div>
)

function Empty({ view, searching }: { view: View; searching: boolean }) {
  const sandbox = useSandbox()
  const { inboxes, loaded } = useInboxes()
  const me = useMe()
  const [title, lead] = text.list.empty[searching ? 'search' : view.name] ?? ['', '']
  const icon =
    view.name === 'mine' ? <IconCoffee size={24} stroke={1.6} /> : <IconMessages size={24} stroke={1.6} />
  const live = view.name !== 'resolved' && view.name !== 'snoozed'
  if (loaded && !inboxes.length && me.role === 'admin')
    return (
      <Blank title={text.admin.noInboxes} lead={text.admin.noInboxesLead} icon={icon}>
        <Button component={Link} to="/admin" size="xs">
          {text.list.firstInbox}
        </Button>
      </Blank>
    )
  return (
    <Blank title={title} lead={lead} icon={searching ? <IconSearch size={22} /> : icon}>
      {sandbox && live && !searching && (
        <Button
          component="a"
          href={pageUrl('sandbox')}
          target="_blank"
          rel="noopener"
          variant="light"
          size="xs"
          data-testid="sandbox-link"
        >
          {text.list.sandboxHint}
        </Button>
      )}
    </Blank>
  )
}
