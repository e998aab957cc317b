import { Button } from '@mantine/core'
import { Component, type ReactNode } from 'react'
import { text } from '../text.ts'
import { Blank } from './Blank.tsx'

/** A fault in one pane shows itself there; drafts and unsent messages are kept outside of it. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null }

  static getDerivedStateFromError(error: Error) {
    return { error }
  }

  override render() {
    if (!this.state.error) return this.props.children
    return (
      <Blank title={text.wentWrong} lead={this.state.error.message}>
        <Button variant="default" onClick={() => location.reload()}>
          {text.reload}
        </Button>
      </Blank>
    )
  }
}
