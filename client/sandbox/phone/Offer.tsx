import { IconArrowBackUp, IconList } from '@tabler/icons-react'
import { useState } from 'react'
import type { BubbleContent, OfferedChoice } from '../../../server/sandbox/protocol.ts'

type OfferContent = Extract<BubbleContent, { type: 'offer' }>

interface Props {
  offer: OfferContent
  /** Answers above the keyboard go away once something else is said. */
  last: boolean
  onChoose: (choice: string) => void
}

/** What a bubble lets its reader pick: below it, in a menu, or on cards. */
export function Offer({ offer, last, onChoose }: Props) {
  const [open, setOpen] = useState(false)
  const { as, choices, button } = offer
  const choose = (choice: string): void => {
    setOpen(false)
    onChoose(choice)
  }
  switch (as) {
    case 'buttons':
      return <Choices kind="offer-buttons" choices={choices} onChoose={choose} />
    case 'replies':
      return last ? <Choices kind="offer-replies" choices={choices} onChoose={choose} /> : null
    case 'list':
      return (
        <div className="offer-buttons">
          <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
            <IconList size={17} aria-hidden="true" /> {button}
          </button>
          {open && <Rows choices={choices} onChoose={choose} />}
        </div>
      )
    case 'cards':
      return (
        <ul className="offer-cards">
          {choices.map(({ id, title, description }) => (
            <li key={id}>
              <strong>{title}</strong>
              {description && <span className="sub">{description}</span>}
              <button type="button" aria-label={`${button}: ${title}`} onClick={() => choose(id)}>
                {button}
              </button>
            </li>
          ))}
        </ul>
      )
  }
}

interface ChoicesProps {
  choices: OfferedChoice[]
  onChoose: (choice: string) => void
}

function Choices({ kind, choices, onChoose }: ChoicesProps & { kind: string }) {
  return (
    <div className={kind}>
      {choices.map(({ id, title }) => (
        <button key={id} type="button" onClick={() => onChoose(id)}>
          {kind === 'offer-buttons' && <IconArrowBackUp size={17} aria-hidden="true" />} {title}
        </button>
      ))}
    </div>
  )
}

function Rows({ choices, onChoose }: ChoicesProps) {
  return (
    <ul className="offer-rows">
      {choices.map(({ id, title, description }) => (
        <li key={id}>
          <button type="button" onClick={() => onChoose(id)}>
            <strong>{title}</strong>
            {description && <span className="sub">{description}</span>}
          </button>
        </li>
      ))}
    </ul>
  )
}
