import type { Redis } from 'ioredis'
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
} from 'rate-limiter-flexible'
import { Refusal } from '../errors.ts'
import { keys } from '../redis/keys.ts'

/** So many points in so many seconds, for one key. */
export interface Limit {
  points: number
  seconds: number
}

/** Counts in Redis where there is one, and in this process while there is none or it is away: a limit never falls open. */
export function createLimiter(
  name: string,
  { points, seconds }: Limit,
  redis: Redis | undefined,
): RateLimiterAbstract {
  const memory = new RateLimiterMemory({ points, duration: seconds, keyPrefix: name })
  if (!redis) return memory
  return new RateLimiterRedis({
    storeClient: redis,
    points,
    duration: seconds,
    keyPrefix: `${keys.limits}:${name}`,
    insuranceLimiter: memory,
    rejectIfRedisNotReady: true,
  })
}

/** Takes a point, or refuses with the seconds to wait. */
export async function spend(
  limiter: RateLimiterAbstract,
  key: string,
  sentence: string,
  points = 1,
): Promise<RateLimiterRes> {
  try {
    return await limiter.consume(key, points)
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) throw refused
    throw new Refusal('rate_limited', sentence, {
      retryAfter: Math.max(1, Math.ceil(refused.msBeforeNext / 1000)),
    })
  }
}
