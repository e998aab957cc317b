import type {
  AccountsView,
  BubbleView,
  FaultView,
  HandsetView,
  SandboxChannel,
  SandboxEvent,
  WebhookView,
} from '../../server/sandbox/protocol.ts'

export interface State {
  ready: boolean
  connected: boolean
  accounts: AccountsView | undefined
  phones: HandsetView[]
  active: string | undefined
  channel: SandboxChannel
  screen: 'home' | 'list' | 'chat'
  /** When an agent's typing is over, by `phone/channel`; milliseconds since 1970. */
  typing: Record<string, number>
  /** How many of theirs were seen, by `phone/channel`. */
  seen: Record<string, number>
  faults: FaultView[]
  /** Newest first. */
  webhooks: WebhookView[]
  /** A sentence that something did not work. */
  trouble: string | undefined
}

export const initialState: State = {
  ready: false,
  connected: true,
  accounts: undefined,
  phones: [],
  active: undefined,
  channel: 'telegram',
  screen: 'chat',
  typing: {},
  seen: {},
  faults: [],
  webhooks: [],
  trouble: undefined,
}

export type Action =
  | {
      type: 'loaded'
      accounts: AccountsView
      faults: FaultView[]
      webhooks: WebhookView[]
      phones: HandsetView[]
    }
  | { type: 'connection'; connected: boolean }
  | { type: 'phone'; phone: HandsetView; activate?: boolean }
  | { type: 'forgotten'; id: string }
  | { type: 'activated'; id: string }
  | { type: 'shown'; channel?: SandboxChannel; screen: State['screen'] }
  | { type: 'seen' }
  | { type: 'trouble'; sentence: string | undefined }
  | { type: 'written'; phone: string; channel: SandboxChannel; bubble: BubbleView }
  | { type: 'event'; event: SandboxEvent; now: number }

const WEBHOOKS_SHOWN = 60

export const chatKey = (phone: string, channel: SandboxChannel): string => `${phone}/${channel}`

export const activePhone = ({ phones, active }: State): HandsetView | undefined =>
  phones.find(({ id }) => id === active) ?? phones[0]

const theirs = (bubbles: BubbleView[]): number => bubbles.filter(({ mine }) => !mine).length

/** How many of the agent's messages a phone has not shown yet. */
export const unread = (state: State, phone: HandsetView, channel: SandboxChannel): number =>
  Math.max(0, theirs(phone.chats[channel]) - (state.seen[chatKey(phone.id, channel)] ?? 0))

export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case 'loaded': {
      const { accounts, faults, webhooks, phones } = action
      return { ...state, ready: true, connected: true, accounts, faults, webhooks, phones }
    }
    case 'connection':
      return { ...state, connected: action.connected }
    case 'phone': {
      const known = state.phones.some(({ id }) => id === action.phone.id)
      const phones = known
        ? state.phones.map((one) => (one.id === action.phone.id ? action.phone : one))
        : [...state.phones, action.phone]
      return {
        ...state,
        phones,
        ...(action.activate && { active: action.phone.id, screen: 'chat' as const }),
      }
    }
    case 'forgotten':
      return { ...state, phones: state.phones.filter(({ id }) => id !== action.id) }
    case 'activated':
      return { ...state, active: action.id }
    case 'shown':
      return { ...state, screen: action.screen, channel: action.channel ?? state.channel }
    case 'seen': {
      const phone = activePhone(state)
      if (!phone) return state
      const key = chatKey(phone.id, state.channel)
      const count = theirs(phone.chats[state.channel])
      return state.seen[key] === count ? state : { ...state, seen: { ...state.seen, [key]: count } }
    }
    case 'trouble':
      return { ...state, trouble: action.sentence }
    case 'written':
      // The stream may have told of it already, and of what became of it since.
      return bubbleOf(state, action.phone, action.channel, action.bubble.id)
        ? state
        : applied(state, { ...action, type: 'bubble', handset: action.phone }, 0)
    case 'event':
      return applied(state, action.event, action.now)
  }
}

function applied(state: State, event: SandboxEvent, now: number): State {
  switch (event.type) {
    case 'bubble': {
      const withBubble = onPhone(state, event.handset, (phone) => ({
        ...phone,
        chats: { ...phone.chats, [event.channel]: upsert(phone.chats[event.channel], event.bubble) },
      }))
      return event.bubble.mine ? withBubble : endTyping(withBubble, event.handset, event.channel)
    }
    case 'removed':
      return onPhone(state, event.handset, (phone) => ({
        ...phone,
        chats: {
          ...phone.chats,
          [event.channel]: phone.chats[event.channel].filter(({ id }) => id !== event.id),
        },
      }))
    case 'typing':
      return {
        ...state,
        typing: { ...state.typing, [chatKey(event.handset, event.channel)]: now + event.ms },
      }
    case 'blocked':
      return onPhone(state, event.handset, (phone) => ({
        ...phone,
        blocked: { ...phone.blocked, [event.channel]: event.blocked },
      }))
    case 'faults':
      return { ...state, faults: event.faults }
    case 'webhook':
      return {
        ...state,
        webhooks: [event.webhook, ...state.webhooks.filter(({ id }) => id !== event.webhook.id)].slice(
          0,
          WEBHOOKS_SHOWN,
        ),
      }
  }
}

const bubbleOf = (state: State, phone: string, channel: SandboxChannel, id: string): BubbleView | undefined =>
  state.phones.find((one) => one.id === phone)?.chats[channel].find((bubble) => bubble.id === id)

const onPhone = (state: State, id: string, change: (phone: HandsetView) => HandsetView): State => ({
  ...state,
  phones: state.phones.map((phone) => (phone.id === id ? change(phone) : phone)),
})

function upsert(bubbles: BubbleView[], bubble: BubbleView): BubbleView[] {
  return bubbles.some(({ id }) => id === bubble.id)
    ? bubbles.map((one) => (one.id === bubble.id ? bubble : one))
    : [...bubbles, bubble]
}

function endTyping(state: State, phone: string, channel: SandboxChannel): State {
  const { [chatKey(phone, channel)]: _, ...typing } = state.typing
  return { ...state, typing }
}
