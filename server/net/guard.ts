import { type LookupAddress, lookup as lookupInDns } from 'node:dns'
import type { LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { buildConnector } from 'undici'

/** Resolves a name to all of its addresses, as `dns.lookup` with `all` does. */
export type Resolve = (
  hostname: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

interface GuardOptions {
  /** This machine may be called: development, where providers are simulators. */
  loopback?: boolean
  /** `host:port` of services that may be called though they are not public. */
  allowed?: readonly string[]
  resolve?: Resolve
  connectTimeoutMs?: number
}

const CONNECT_TIMEOUT_MS = 5_000

/** The address leads to no public place, or is written in a way no honest one is. */
export class ForbiddenAddress extends Error {
  override name = 'ForbiddenAddress'
  readonly code = 'FORBIDDEN_ADDRESS'
}

/**
 * Where this process may connect to on somebody else's word. What counts is the address a connection is made to, looked at
 * while it is being made: a name that is resolved twice can tell two things.
 */
export class Guard {
  readonly #loopback: boolean
  readonly #allowed: ReadonlySet<string>
  readonly #resolve: Resolve
  readonly #checked: buildConnector.connector
  readonly #anywhere: buildConnector.connector

  constructor({ loopback = false, allowed = [], resolve, connectTimeoutMs }: GuardOptions = {}) {
    this.#loopback = loopback
    this.#allowed = new Set(allowed.map((place) => place.toLowerCase()))
    this.#resolve =
      resolve ?? ((hostname, callback) => lookupInDns(hostname, { all: true, verbatim: true }, callback))
    const options = { timeout: connectTimeoutMs ?? CONNECT_TIMEOUT_MS, allowH2: false }
    this.#anywhere = buildConnector(options)
    this.#checked = buildConnector({ ...options, lookup: this.#lookup })
  }

  /** Opens connections for undici's `Agent`, to allowed addresses only. */
  readonly connect: buildConnector.connector = (target, callback) => {
    const { hostname, protocol } = target
    const port = target.port || (protocol === 'https:' ? '443' : '80')
    if (this.#allowed.has(`${hostname.toLowerCase()}:${port}`)) return this.#anywhere(target, callback)
    // A literal address is connected to without being looked up.
    const literal = hostname.replace(/^\[|\]$/g, '')
    if (ipaddr.isValid(literal) && !this.#mayReach(literal)) return callback(forbidden(hostname), null)
    return this.#checked(target, callback)
  }

  readonly #lookup: LookupFunction = (hostname, options, callback) => {
    this.#resolve(hostname, (error, addresses) => {
      if (error) return callback(error, [])
      const [first] = addresses
      // One private address among public ones is an attempt, too: which is used is not ours to choose.
      if (!first || !addresses.every(({ address }) => this.#mayReach(address)))
        return callback(forbidden(hostname), [])
      return options.all ? callback(null, addresses) : callback(null, first.address, first.family)
    })
  }

  #mayReach(address: string): boolean {
    return isPublic(address) || (this.#loopback && isLoopback(address))
  }
}

const forbidden = (hostname: string) => new ForbiddenAddress(`${hostname} is not a public address`)

const PUBLIC_IPV6 = ipaddr.parseCIDR('2000::/3')

/** Whether an IP address is one of the internet's: everything that is set aside for something else is not. */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  if (parsed.range() !== 'unicast') return false
  return parsed.kind() === 'ipv4' || parsed.match(PUBLIC_IPV6)
}

const isLoopback = (address: string): boolean =>
  ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback'
