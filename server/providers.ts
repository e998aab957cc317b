import type { Call, Http, MediaAccess } from '../adapters/adapter.ts'
import type { Channel, Provider } from '../models/channels.ts'
import type { AttemptKey } from '../models/ids.ts'
import type { OpenRoute } from './directory.ts'

interface Parts {
  http: Http
  media: MediaAccess
  /** Where the world reaches us. */
  publicUrl: () => string
  /** True where an admin said so; without it only a provider on this machine can call us. */
  reachable: boolean
}

/** Where the API lives below the public address. */
export const API = '/api/v1'

/** The provider whose name a channel's webhook address may leave out. */
export function ownProvider(channel: Channel): Provider | null {
  switch (channel) {
    case 'telegram':
      return 'telegram'
    case 'whatsapp':
    case 'messenger':
      return 'meta'
    case 'web':
      return 'web'
    case 'sms':
      return null
  }
}

/** Makes the calls adapters are given, and says where a provider's webhooks should go. */
export class Providers {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  call(open: OpenRoute, attemptKey?: AttemptKey): Call<unknown> {
    const statusUrl =
      attemptKey && this.canCallUs(open)
        ? `${this.webhookUrl(open)}?attempt=${encodeURIComponent(attemptKey)}`
        : undefined
    return {
      credentials: open.credentials,
      sender: open.route.sender,
      apiBase: open.apiBase,
      http: this.#parts.http,
      media: this.#parts.media,
      ...(attemptKey ? { attemptKey } : {}),
      ...(statusUrl ? { statusUrl } : {}),
    }
  }

  /** A call with credentials that are not stored yet. */
  trial(given: Pick<Call<unknown>, 'credentials' | 'sender' | 'apiBase'>): Call<unknown> {
    return { ...given, http: this.#parts.http, media: this.#parts.media }
  }

  webhookUrl({ route }: Pick<OpenRoute, 'route'>): string {
    const base = `${this.#parts.publicUrl()}${API}`
    return route.provider === ownProvider(route.channel)
      ? `${base}/${route.channel}/webhook/${route.inbox}`
      : `${base}/${route.channel}/webhook/${route.provider}/${route.inbox}`
  }

  /** Where one address takes the webhooks of every inbox. */
  sharedWebhookUrl({ route: { channel, provider } }: Pick<OpenRoute, 'route'>): string {
    const base = `${this.#parts.publicUrl()}${API}/${channel}/webhook`
    return provider === ownProvider(channel) ? base : `${base}/${provider}`
  }

  /** Whether the provider can post to us: we have a public address, or it runs on this machine as well. */
  canCallUs({ apiBase }: Pick<OpenRoute, 'apiBase'>): boolean {
    return this.#parts.reachable || isLoopback(apiBase)
  }
}

const isLoopback = (address: string): boolean => {
  const { hostname } = new URL(address)
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}
