import type { ReactNode } from 'react'
import classes from './Blank.module.css'

interface Props {
  title: string
  lead?: string
  icon?: ReactNode
  children?: ReactNode
}

/** What a pane shows when it has nothing: what would be here, and how to get it. */
export function Blank({ title, lead, icon, children }: Props) {
  return (
    <div className={classes.blank}>
      {icon && <div className={classes.icon}>{icon}</div>}
      <p className={classes.title}>{title}</p>
      {lead && <p className={classes.lead}>{lead}</p>}
      {children && <div className={classes.actions}>{children}</div>}
    </div>
  )
}
