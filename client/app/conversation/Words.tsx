import { Fragment } from 'react'
import type { Mark } from '../../../models/content.ts'
import { plain } from '../design/plain.ts'
import { wordsOf } from './links.ts'
import { Marked } from './Marked.tsx'
import classes from './Words.module.css'

/** What somebody wrote, as text and nothing else, with its web addresses as links and its marks as they were meant. */
export function Words({ children, marks }: { children: string; marks?: readonly Mark[] | undefined }) {
  return (
    <span className={classes.words} dir="auto">
      <Marked text={children} marks={marks} words={(text) => <Linked text={text} />} />
    </span>
  )
}

function Linked({ text }: { text: string }) {
  return wordsOf(plain(text)).map((part, index) =>
    part.href ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text never move.
      <a key={index} href={part.href} target="_blank" rel="noopener noreferrer nofollow">
        {part.text}
      </a>
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text never move.
      <Fragment key={index}>{part.text}</Fragment>
    ),
  )
}
