import { hueOf, initialsOf } from '../format.ts'

/** A round of colour with initials; beside a name, so nothing is read aloud. */
export function Avatar({ name, size = 'medium' }: { name: string; size?: 'small' | 'medium' | 'large' }) {
  return (
    <span className={`avatar avatar-${size} hue-${hueOf(name)}`} aria-hidden="true">
      {initialsOf(name)}
    </span>
  )
}
