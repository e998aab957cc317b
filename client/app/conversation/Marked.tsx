import { Fragment, type ReactNode } from 'react'
import type { Mark } from '../../../models/content.ts'
import { plain } from '../design/plain.ts'
import { type Stretch, stretchesOf } from './marks.ts'

interface Props {
  text: string
  marks?: readonly Mark[] | undefined
  /** Words that are not marked further. */
  words: (text: string) => ReactNode
}

/** A text as it was marked: bold, quoted, a link. Only http and https are links, whatever a mark says. */
export function Marked({ text, marks, words }: Props): ReactNode {
  return <Stretches stretches={stretchesOf(text, marks)} words={words} />
}

function Stretches({ stretches, words }: { stretches: Stretch[]; words: Props['words'] }): ReactNode {
  return stretches.map((stretch, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the stretches of one text never move.
    <Fragment key={index}>
      {typeof stretch === 'string' ? words(stretch) : <Stretched {...stretch} words={words} />}
    </Fragment>
  ))
}

function Stretched({ mark, inside, words }: Exclude<Stretch, string> & { words: Props['words'] }) {
  // A link within a link is none.
  const within = mark.kind === 'link' || mark.kind === 'code' || mark.kind === 'pre' ? plain : words
  const content = <Stretches stretches={inside} words={within} />
  switch (mark.kind) {
    case 'bold':
      return <strong>{content}</strong>
    case 'italic':
      return <em>{content}</em>
    case 'underline':
      return <u>{content}</u>
    case 'strike':
      return <s>{content}</s>
    case 'code':
      return <code>{content}</code>
    case 'pre':
      return <code data-mark="pre">{content}</code>
    case 'quote':
    case 'spoiler':
      return <span data-mark={mark.kind}>{content}</span>
    case 'link':
      return isWeb(mark.url) ? (
        <a href={mark.url} target="_blank" rel="noopener noreferrer nofollow">
          {content}
        </a>
      ) : (
        content
      )
  }
}

const isWeb = (url: string | undefined): boolean => url !== undefined && /^https?:\/\//i.test(url)
