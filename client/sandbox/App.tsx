import { useEffect, useState } from 'react'
import { Desk } from './desk/Desk.tsx'
import { Header } from './desk/Header.tsx'
import { Visitors } from './desk/Visitors.tsx'
import { Phone } from './phone/Phone.tsx'
import { remember, remembered, type Theme } from './remembered.ts'
import { useSandbox } from './useSandbox.ts'

/** A phone on a desk: be the customer, and see what the product is told. */
export function App() {
  const { state, doings } = useSandbox()
  const [theme, setTheme] = useState<Theme | undefined>(remembered().theme)
  const [deskOpen, setDeskOpen] = useState(false)

  useEffect(() => {
    document.documentElement.dataset.theme = theme ?? ''
    remember({ theme })
  }, [theme])

  return (
    <div className="page">
      <Header
        channel={state.channel}
        connected={state.connected}
        theme={theme}
        deskOpen={deskOpen}
        onChannel={(channel) => doings.show('chat', channel)}
        onTheme={setTheme}
        onDesk={() => setDeskOpen(!deskOpen)}
      />
      <main className="table" data-desk={deskOpen ? 'open' : 'closed'}>
        <Visitors state={state} doings={doings} />
        <Phone state={state} doings={doings} />
        <Desk state={state} doings={doings} />
      </main>
      {state.trouble && (
        <div className="toast" role="alert">
          <span>{state.trouble}</span>
          <button type="button" onClick={doings.dismiss}>
            Close
          </button>
        </div>
      )}
    </div>
  )
}
