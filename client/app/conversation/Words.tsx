import { Fragment } from 'react'
import { plain } from '../design/plain.ts'
import { wordsOf } from './links.ts'
import classes from './Words.module.css'

/** What somebody wrote, as text and nothing else, with its web addresses as links. */
export function Words({ children }: { children: string }) {
  return (
    <span className={classes.words} dir="auto">
      {wordsOf(plain(children)).map((part, index) =>
        part.href ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text never move.
          <a key={index} href={part.href} target="_blank" rel="noopener noreferrer nofollow">
            {part.text}
          </a>
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text never move.
          <Fragment key={index}>{part.text}</Fragment>
        ),
      )}
    </span>
  )
}
