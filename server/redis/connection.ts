import { Redis } from 'ioredis'
import type { Log } from '../log.ts'

/** A command that waits longer than this for an answer fails: a paused Redis must not hold a request. */
const COMMAND_TIMEOUT_MS = 2_000
const MAX_RECONNECT_DELAY_MS = 1_000

/**
 * The one way to connect. While Redis is away commands fail at once instead of queueing without end; the connection comes
 * back by itself. Nothing of ours may depend on Redis for being right, only for being quick.
 */
export function connectRedis(url: string, log: Log, role: string): Redis {
  const redis = new Redis(url, {
    connectionName: `nexus-${role}`,
    enableOfflineQueue: role === 'subscriber',
    maxRetriesPerRequest: 0,
    ...(role === 'subscriber' ? {} : { commandTimeout: COMMAND_TIMEOUT_MS }),
    retryStrategy: (times: number) => Math.min(times * 50, MAX_RECONNECT_DELAY_MS),
    lazyConnect: true,
  })
  let down = false
  redis.on('error', (error) => {
    if (down) return
    down = true
    log.warn({ event: 'redis.down', role, error }, 'Redis is out of reach')
  })
  redis.on('ready', () => {
    if (down) log.info({ event: 'redis.up', role }, 'Redis is back')
    down = false
  })
  return redis
}

/**
 * A connection for publishing broadcasts. While Redis is away they are dropped: sockets of this node have them anyway, and
 * those of other nodes catch up. The Socket.IO adapter does not look at what `publish` promises, so a failure ends here.
 */
export function connectPublisher(url: string, log: Log): Redis {
  const redis = connectRedis(url, log, 'publisher')
  const publish = redis.publish.bind(redis)
  redis.publish = ((channel: string, message: string) =>
    publish(channel, message).catch(() => 0)) as Redis['publish']
  return redis
}
