import { type ActionIconProps, ActionIcon as Base, Tooltip } from '@mantine/core'
import type { ComponentPropsWithRef, ReactNode } from 'react'

interface Props extends ActionIconProps, Omit<ComponentPropsWithRef<'button'>, keyof ActionIconProps> {
  label: string
  icon: ReactNode
  /** The key that does the same, shown with the label. */
  hotkey?: string
}

/** A button that is only a picture, and says in words what it does. */
export function ActionIcon({ label, icon, hotkey, ...rest }: Props) {
  return (
    <Tooltip label={hotkey ? `${label}  ·  ${hotkey}` : label}>
      <Base aria-label={label} {...rest}>
        {icon}
      </Base>
    </Tooltip>
  )
}
