import { ActionIcon } from '@mantine/core'
import { IconArrowLeft } from '@tabler/icons-react'
import { Link } from 'react-router'
import { text } from '../text.ts'

/** The way back on a phone, where panes are pages. */
export const BackLink = ({ to, className }: { to: string; className?: string | undefined }) => (
  <ActionIcon
    variant="subtle"
    color="gray"
    component={Link}
    to={to}
    className={className}
    aria-label={text.back}
    data-testid="back"
  >
    <IconArrowLeft size={18} />
  </ActionIcon>
)
