import classes from './Avatar.module.css'

interface Props {
  id: string
  name: string
  size?: number
  /** True draws the mark of somebody who is here now. */
  here?: boolean
  round?: boolean
}

const HUES = 12

/** Initials on a colour of its own: nothing is fetched for it, and the same person looks the same everywhere. */
export function Avatar({ id, name, size = 32, here, round = true }: Props) {
  const style = { inlineSize: size, blockSize: size, fontSize: Math.round(size * 0.38) }
  return (
    <span
      className={classes.avatar}
      data-initials={initialsOf(name)}
      data-hue={hueOf(id)}
      data-round={round || undefined}
      style={style}
      aria-hidden="true"
    >
      {here && <span className={classes.here} />}
    </span>
  )
}

function initialsOf(name: string): string {
  const words = name
    .replace(/[^\p{L}\p{N}\s]/gu, '')
    .split(/\s+/)
    .filter(Boolean)
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map(
    (word) => [...(word ?? '')][0] ?? '',
  )
  if (words[0] && /^\d+$/.test(words.join(''))) return `${words.join('').slice(-2)}`
  return letters.join('').toLocaleUpperCase() || '?'
}

function hueOf(id: string): number {
  let sum = 0
  for (const character of id) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) >>> 0
  return sum % HUES
}
