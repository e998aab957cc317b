import type { Call, OutboundMessage } from '../../adapters/adapter.ts'
import { fit } from '../../adapters/fit.ts'
import type { Outcome } from '../../adapters/outcomes.ts'
import { uncertain } from '../../adapters/outcomes.ts'
import {
  type Content,
  type DeletionContent,
  type EditContent,
  isAboutAnother,
  type ReactionContent,
} from '../../models/content.ts'
import { Conversation, type ConversationDoc, type MessageChange } from '../../models/conversation.ts'
import type { DeliveryProblem } from '../../models/delivery.ts'
import type { MessageId, ProviderMessageId, RouteId, WorkspaceId } from '../../models/ids.ts'
import type { InboxDoc } from '../../models/inbox.ts'
import { Message, type MessageDoc } from '../../models/message.ts'
import {
  apply,
  beginAttempt,
  type Conclusion,
  concludeAttempt,
  giveUp,
  isOutbound,
  type Next,
  type OutboundDoc,
  putOff,
} from '../../models/outbox.ts'
import { outsideWindow } from '../../models/windows.ts'
import type { Clock } from '../clock.ts'
import type { Directory, OpenRoute } from '../directory.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { RouteHealthKeeper } from '../observability/route-health.ts'
import type { Providers } from '../providers.ts'
import type { Broadcasts } from '../realtime/broadcasts.ts'
import type { Router } from '../routing/router.ts'
import { backoffMs } from './backoff.ts'

interface Parts {
  clock: Clock
  random: () => number
  log: Log
  directory: Directory
  providers: Providers
  router: Router
  broadcasts: Broadcasts
  metrics: Metrics
  routeHealth: Pick<RouteHealthKeeper, 'attempted'>
  /** Told the provider's name for a message as soon as it is stored: receipts may be waiting for it. */
  onAccepted: (providerId: ProviderMessageId) => void
}

/** An attempt that is not concluded by then was under way when its node died. Longer than any attempt may take. */
export const ATTEMPT_LEASE_MS = 30_000
/** An outcome in hand is tried to be written for so long. */
const INSIST_MS = 15_000
const INSIST_PAUSE_MS = 500
/** A message is sent within moments; one that is older waited, and the world may have changed. */
const FRESH_MS = 60_000

/** Takes one message as far as it can get now: chooses a route, sends, records, and says what happens next. */
export class Deliver {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** After this the message is sent, failed or uncertain: true; or queued for a later moment: false. */
  async deliver(message: OutboundDoc): Promise<boolean> {
    const { clock, directory, broadcasts, router } = this.#parts
    const now = clock.now()
    if (message.delivery.state === 'sending') return this.#presumeUncertain(message)
    if (message.delivery.expiresAt <= now)
      return this.#giveUp(message, { code: 'expired', reason: lateReason(message) })
    const inbox = await directory.inbox(message.inbox)
    if (!inbox) return this.#giveUp(message, { code: 'inbox_gone', reason: 'The inbox was removed.' })
    const tooLate = await this.#noLongerWelcome(message, inbox.inbox, now)
    if (tooLate) return this.#giveUp(message, tooLate)
    const terms = await inProvidersTerms(message)
    if (typeof terms === 'string') return this.#giveUp(message, { code: 'cannot_carry', reason: terms })

    const tried = new Set<RouteId>()
    let current = message
    let last: Outcome | undefined
    for (
      let choice = router.choose(current, inbox.routes, tried);
      choice;
      choice = router.choose(current, inbox.routes, tried)
    ) {
      const { route, adapter } = choice.route
      tried.add(route._id)
      const fitting = fit(current.content, adapter.capabilities)
      if (fitting.as === 'refused' || fitting.as === 'parts')
        return this.#giveUp(current, {
          code: 'cannot_carry',
          reason: fitting.as === 'refused' ? fitting.reason : 'Too long for this route.',
        })
      const begun = await beginAttempt(current, {
        route: route._id,
        provider: route.provider,
        reason: choice.reason,
        at: clock.now(),
        presumedDeadAt: new Date(clock.now().getTime() + ATTEMPT_LEASE_MS),
      })
      if (!begun) return false
      broadcasts.messageChanged(begun)
      const { contact, theyWroteAt } = begun.conversation
      const outbound: OutboundMessage = {
        to: contact.address,
        ...terms,
        ...(fitting.as === 'fallback' ? { content: fitting.content as OutboundMessage['content'] } : {}),
        ...(theyWroteAt ? { sinceTheyWroteMs: now.getTime() - theyWroteAt.getTime() } : {}),
      }
      const { outcome, conclusion } = await this.#send(choice.route, outbound, begun.key)
      const moveOn = router.choose(begun.message, inbox.routes, tried) !== null
      const next = this.#next(outcome, begun.message, moveOn, last)
      const change = await this.#insist(async () => {
        if (outcome.outcome === 'accepted') await this.#show(begun.message)
        return concludeAttempt(begun.message, begun.key, conclusion, next)
      })
      this.#publish(change)
      if (outcome.outcome === 'accepted') this.#parts.onAccepted(outcome.providerId)
      if (!change || !isOutbound(change.message) || !change.message.delivery.pending) return true
      if (!surelyNotSent(outcome) || !moveOn) return false
      current = change.message
      last = outcome
    }
    const wait = backoffMs(current.delivery.tries + 3, this.#parts.random)
    this.#publish(await putOff(current, new Date(now.getTime() + wait), NO_ROUTE))
    return false
  }

  /** What waited long may meet a window that closed meanwhile, or a person who said STOP. What is new was just looked at. */
  async #noLongerWelcome(
    { workspace, conversation: _id, content, author, createdAt }: OutboundDoc,
    inbox: InboxDoc,
    now: Date,
  ): Promise<DeliveryProblem | null> {
    if (now.getTime() - createdAt.getTime() < FRESH_MS) return null
    const conversation = await Conversation.findOne({ workspace, _id }).lean<ConversationDoc>()
    if (conversation?.contact.optedOut)
      return { code: 'opted_out', reason: 'This person asked to hear nothing more from us.' }
    const outside = outsideWindow(
      inbox.window,
      conversation?.theyWroteAt,
      now,
      content,
      author.kind === 'agent',
    )
    return outside ? { code: 'window_closed', reason: outside } : null
  }

  async #giveUp(message: OutboundDoc, problem: DeliveryProblem): Promise<true> {
    this.#publish(await giveUp(message, problem))
    return true
  }

  /**
   * What a provider answered must not be lost to a store that is away for a moment: it is written again and again until
   * the attempt's lease ends, when others take it for interrupted.
   */
  async #insist<T>(write: () => Promise<T>): Promise<T> {
    const { clock, log } = this.#parts
    const until = clock.monotonic() + INSIST_MS
    for (;;) {
      try {
        return await write()
      } catch (error) {
        if (clock.monotonic() > until) throw error
        log.warn({ event: 'attempt.not_recorded', error }, 'an outcome could not be written yet')
        await clock.sleep(INSIST_PAUSE_MS)
      }
    }
  }

  async #send(
    open: OpenRoute,
    message: OutboundMessage,
    key: Parameters<Providers['call']>[1],
  ): Promise<{ outcome: Outcome; conclusion: Conclusion }> {
    const { clock, log, metrics, providers } = this.#parts
    const started = clock.monotonic()
    const call: Call<unknown> = providers.call(open, key)
    // An adapter answers with an outcome. If one throws all the same, the request may have left: that is uncertain.
    const outcome = await open.adapter.send(message, call).catch((error: unknown) => {
      log.error(
        { event: 'adapter.threw', provider: open.route.provider, error },
        'an adapter threw instead of answering',
      )
      return uncertain('adapter_failed', 'Our own code failed while talking to the provider.')
    })
    const tookMs = Math.round(clock.monotonic() - started)
    this.#parts.routeHealth.attempted(open.route, outcome)
    metrics.attempts.inc({ provider: open.route.provider, outcome: outcome.outcome })
    metrics.attemptSeconds.observe({ provider: open.route.provider }, tookMs / 1000)
    if (outcome.outcome !== 'accepted')
      log.warn({
        event: 'attempt.ended',
        provider: open.route.provider,
        route: open.route._id,
        attempt: key,
        outcome: outcome.outcome,
        code: outcome.code,
        tookMs,
      })
    const conclusion: Conclusion =
      outcome.outcome === 'accepted'
        ? { outcome: 'accepted', tookMs, providerId: outcome.providerId }
        : { outcome: outcome.outcome, tookMs, code: outcome.code, reason: outcome.reason }
    return { outcome, conclusion }
  }

  /** What an outcome means for the message: only the certain may move on. */
  #next(outcome: Outcome, message: OutboundDoc, anotherRoute: boolean, before: Outcome | undefined): Next {
    const now = this.#parts.clock.now()
    switch (outcome.outcome) {
      case 'accepted':
        return { state: 'sent', at: now }
      case 'rejected':
        return { state: 'failed', problem: { code: outcome.code, reason: outcome.reason } }
      case 'uncertain':
        return { state: 'uncertain', problem: { code: outcome.code, reason: outcome.reason } }
      case 'rate-limited':
      case 'unavailable': {
        const problem = { code: outcome.code, reason: outcome.reason }
        const limited = outcome.outcome === 'rate-limited'
        if (anotherRoute) return { state: 'queued', dueAt: now, countTry: false, problem }
        // Where an earlier route only asked us to wait, waiting may yet help.
        if (!limited && outcome.needsAttention && before === undefined) return { state: 'failed', problem }
        const wait = backoffMs(
          message.delivery.tries,
          this.#parts.random,
          limited ? outcome.retryAfterMs : undefined,
        )
        return { state: 'queued', dueAt: new Date(now.getTime() + wait), countTry: true, problem }
      }
    }
  }

  /** Its sender died in the middle: it may have been sent, so it is not sent again. A receipt or a person decides. */
  async #presumeUncertain(message: OutboundDoc): Promise<true> {
    const attempt = message.delivery.attempts.at(-1)
    if (!attempt) return true
    const reason = 'We were interrupted while sending and do not know whether the provider took it.'
    this.#parts.log.warn({ event: 'attempt.interrupted', attempt: attempt.key })
    this.#publish(
      await concludeAttempt(
        message,
        attempt.key,
        { outcome: 'uncertain', code: 'interrupted', reason },
        { state: 'uncertain', problem: { code: 'interrupted', reason } },
      ),
    )
    return true
  }

  /**
   * A reaction or an edit that went out shows on the message it is about. Written before the attempt is concluded, and only
   * over what was read: the contact may react in the same instant, and neither may take the other's away.
   */
  async #show(message: OutboundDoc): Promise<void> {
    const { content } = message
    if (!isAboutAnother(content)) return
    for (let round = 0; round < 5; round++) {
      const target = await Message.findOne({
        workspace: message.workspace,
        _id: content.message,
      }).lean<MessageDoc>()
      if (!target) return
      const change = await apply(target, ...shownOn(target, content, this.#parts.clock.now()))
      if (change) return this.#publish(change)
    }
  }

  #publish(change: MessageChange | null): void {
    if (change) this.#parts.broadcasts.messageChanged(change)
  }
}

const NO_ROUTE = { code: 'no_route', reason: 'No route can carry this right now. It will be tried again.' }

/** How a change of ours shows on the message it is about: under which condition, and what is written. */
function shownOn(
  target: MessageDoc,
  content: ReactionContent | EditContent | DeletionContent,
  at: Date,
): [condition: Record<string, unknown>, update: Parameters<typeof apply>[2]] {
  switch (content.type) {
    case 'reaction':
      return [{ reactions: target.reactions }, { $set: { reactions: withOurs(target, content.emoji) } }]
    case 'edit':
      return [
        { changedRev: target.changedRev },
        {
          $set: { content: { type: 'text', text: content.text } },
          $push: { edits: { content: target.content, at } },
        },
      ]
    case 'deletion':
      return [{}, { $set: { deletedAt: at } }]
  }
}

const withOurs = ({ reactions }: MessageDoc, emoji: string): MessageDoc['reactions'] => [
  ...reactions.filter((each) => each.by !== 'agent'),
  ...(emoji ? [{ by: 'agent' as const, emoji }] : []),
]
const surelyNotSent = (outcome: Outcome): boolean =>
  outcome.outcome === 'unavailable' || outcome.outcome === 'rate-limited'
const lateReason = (message: OutboundDoc): string =>
  `It could not be sent in time${message.delivery.problem ? `: ${message.delivery.problem.reason}` : '.'}`

/** What it says and what it answers, in the provider's terms, or the sentence that says why there is no such thing. */
async function inProvidersTerms(message: OutboundDoc): Promise<Omit<OutboundMessage, 'to'> | string> {
  const content = await resolve(message.workspace, message.content)
  if (typeof content === 'string') return content
  const replyTo = message.replyTo && (await Message.providerIdOf(message.workspace, message.replyTo))
  return { content, ...(replyTo ? { replyTo } : {}) }
}

async function resolve(
  workspace: WorkspaceId,
  content: Content,
): Promise<OutboundMessage['content'] | string> {
  switch (content.type) {
    case 'reaction':
    case 'edit':
    case 'deletion': {
      const providerId = await Message.providerIdOf(workspace, content.message as MessageId)
      if (!providerId) return 'The message it is about never reached the provider.'
      const { message: _, ...what } = content
      return { ...what, providerId }
    }
    case 'choice':
    case 'unsupported':
      return 'This kind of message cannot be sent.'
    default:
      return content
  }
}
