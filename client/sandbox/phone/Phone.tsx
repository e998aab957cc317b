import type { State } from '../state.ts'
import { activePhone } from '../state.ts'
import type { Doings } from '../useSandbox.ts'
import { Chat } from './Chat.tsx'
import { ChatList } from './ChatList.tsx'
import { Home } from './Home.tsx'
import { StatusBar } from './StatusBar.tsx'
import { Welcome } from './Welcome.tsx'

/** The phone in the visitor's hand. */
export function Phone({ state, doings }: { state: State; doings: Doings }) {
  const phone = activePhone(state)
  const screen = phone ? state.screen : 'welcome'
  return (
    <section className="phone" aria-label={phone ? `${phone.name}’s phone` : 'Phone'}>
      <div
        className="glass"
        data-app={screen === 'home' || screen === 'welcome' ? screen : state.channel}
        data-screen={screen}
      >
        <StatusBar />
        <div className="screen">
          {!state.ready && <p className="waking">{state.trouble ? 'No signal' : 'Switching on…'}</p>}
          {state.ready && !phone && <Welcome onName={doings.addPhone} />}
          {state.ready && phone && state.screen === 'home' && (
            <Home state={state} phone={phone} doings={doings} />
          )}
          {state.ready && phone && state.screen === 'list' && (
            <ChatList state={state} phone={phone} doings={doings} />
          )}
          {state.ready && phone && state.screen === 'chat' && (
            <Chat key={`${phone.id}/${state.channel}`} state={state} phone={phone} doings={doings} />
          )}
        </div>
        <button
          type="button"
          className="home-bar"
          aria-label="Home screen"
          onClick={() => phone && doings.show('home')}
        >
          <span className="home-line" />
        </button>
      </div>
    </section>
  )
}
