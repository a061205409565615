import { Redis } from 'ioredis';
import { createHash } from 'node:crypto';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { networkOf } from './address.ts';
import type { Config } from './config.ts';
import { log } from './log.ts';
import { metrics } from './metrics.ts';
import { Refusal } from './refusal.ts';
import type { Kind } from './request-kind.ts';

/** Whose bucket a request is taken from. An account is the e-mail address that somebody tries to sign in with. */
export type Who = { address: string } | { person: string } | { account: string };
type By = 'address' | 'person' | 'account';

/**
 * How many a minute. A person who works fast stays far below; an address may be an office, or a class. Of attempts
 * to sign in only those that fail count: see {@link Limits.giveBack}.
 */
const PER_MINUTE: Record<Kind, Partial<Record<By, number>>> = {
  static: {},
  reading: { person: 600, address: 3000 },
  writing: { person: 240, address: 1200 },
  heavy: { person: 240, address: 1200 },
  // Four megabytes each.
  upload: { person: 3000, address: 6000 },
  'sign-in': { address: 10, account: 10 },
  join: { address: 120 },
  verify: { address: 20 },
  upgrade: { address: 1200 },
};
const MINUTE = 60;
/** Sockets that one address may hold open: a class of a hundred with two boards each. */
const SOCKETS = 400;
/** Milliseconds that a request waits for Redis before it is counted in this process alone. */
const PATIENCE = 300;

export interface Limits {
  /** Counts one more. Throws a {@link TooFast} where that is too many. */
  take(kind: Kind, who: Who): Promise<void>;
  /** It was no guess: it does not count. */
  giveBack(kind: Kind, who: Who): Promise<void>;
  /** One more socket of this address, or null where it holds too many; call what is returned when it closes. */
  openSocket(address: string): (() => void) | null;
  close(): Promise<void>;
}

/** Recognise it by `retryAfter`, in seconds. */
export class TooFast extends Refusal {
  constructor(
    limit: string,
    readonly retryAfter: number,
  ) {
    super('too-fast', 'requests', limit, `more; again in ${retryAfter} s`);
  }
}

export function openLimits({ rateLimits, redisUrl }: Pick<Config, 'rateLimits' | 'redisUrl'>): Limits {
  if (rateLimits === 'off') return { take: async () => {}, giveBack: async () => {}, openSocket: () => () => {}, close: async () => {} };
  const redis = redisUrl === null ? null : connect(redisUrl);
  const limiters = new Map<string, RateLimiterAbstract>();
  for (const [kind, by] of Object.entries(PER_MINUTE)) {
    for (const [what, points] of Object.entries(by)) limiters.set(`${kind}:${what}`, limiterOf(`${kind}:${what}`, points, redis));
  }
  const limiterFor = (kind: Kind, who: Who) => limiters.get(`${kind}:${bucketOf(who).by}`);
  const sockets = new Map<string, number>();
  return {
    async take(kind, who) {
      const refused = await limiterFor(kind, who)?.consume(bucketOf(who).key).then(allowed, refusalOf);
      if (!refused) return;
      metrics.rateLimited.inc({ kind });
      const { by } = bucketOf(who);
      log().info('limited', { kind, by });
      const seconds = Math.max(1, Math.ceil(refused.msBeforeNext / 1000));
      throw new TooFast(`at most ${PER_MINUTE[kind][by]} a minute`, seconds);
    },
    async giveBack(kind, who) {
      await limiterFor(kind, who)?.reward(bucketOf(who).key);
    },
    openSocket(address) {
      const key = networkOf(address);
      const open = sockets.get(key) ?? 0;
      if (open >= SOCKETS) {
        metrics.rateLimited.inc({ kind: 'upgrade' });
        log().info('limited', { kind: 'upgrade', by: 'address' });
        return null;
      }
      sockets.set(key, open + 1);
      return () => {
        const left = (sockets.get(key) ?? 1) - 1;
        if (left > 0) sockets.set(key, left);
        else sockets.delete(key);
      };
    },
    async close() {
      redis?.disconnect();
    },
  };
}

function allowed(): null {
  return null;
}

function refusalOf(reason: unknown): RateLimiterRes {
  if (reason instanceof RateLimiterRes) return reason;
  throw reason;
}

/** Instances count together; one that cannot reach Redis counts by itself. */
function limiterOf(name: string, points: number, redis: Redis | null): RateLimiterAbstract {
  const options = { points, duration: MINUTE, keyPrefix: `pathboard:limit:${name}` };
  const memory = new RateLimiterMemory(options);
  if (redis === null) return memory;
  return new RateLimiterRedis({
    ...options,
    storeClient: redis,
    insuranceLimiter: memory,
    rejectIfRedisNotReady: true,
    inMemoryBlockOnConsumed: points + 1,
  });
}

/** Neither an address nor an e-mail address is kept: Redis holds what cannot be read back. */
function bucketOf(who: Who): { by: By; key: string } {
  if ('person' in who) return { by: 'person', key: who.person };
  if ('address' in who) return { by: 'address', key: hash(networkOf(who.address)) };
  return { by: 'account', key: hash(who.account.trim().toLowerCase()) };
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

function connect(url: string): Redis {
  const redis = new Redis(url, {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    connectTimeout: 2000,
    commandTimeout: PATIENCE,
    // One that hangs is given up, so that only the first requests wait for it.
    socketTimeout: PATIENCE,
    retryStrategy: (attempt) => Math.min(attempt * 200, 5000),
  });
  redis.on('error', (error: Error) => log().debug('limits: no Redis', { code: 'code' in error ? String(error.code) : error.name }));
  return redis;
}
