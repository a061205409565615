import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLimits, type Limits, type Who } from './rate-limits.ts';
import { kindOf, type Kind } from './request-kind.ts';
import { hasRedis, startRedis, type Service } from './testing/services.ts';

/** How many of `count` are admitted. */
async function admitted(limits: Limits, kind: Kind, who: Who, count: number): Promise<number> {
  let passed = 0;
  for (let made = 0; made < count; made++) {
    await limits.take(kind, who).then(
      () => (passed += 1),
      () => {},
    );
  }
  return passed;
}

test.each([
  ['GET', '/_next/static/chunks/main.js', 'static'],
  ['GET', '/', 'reading'],
  ['GET', '/api/boards', 'reading'],
  ['POST', '/api/models/attn-2l/tokenize', 'reading'],
  ['GET', '/api/auth/get-session', 'reading'],
  ['GET', '/api/auth/callback/github', 'reading'],
  ['POST', '/api/auth/sign-in/email', 'sign-in'],
  ['POST', '/api/auth/sign-up/email', 'sign-in'],
  ['POST', '/api/auth/change-password', 'sign-in'],
  ['POST', '/api/me/account', 'sign-in'],
  ['GET', '/enter', 'sign-in'],
  ['POST', '/api/auth/sign-out', 'writing'],
  ['GET', '/join/abc', 'join'],
  ['POST', '/api/join', 'join'],
  ['POST', '/api/analyze', 'heavy'],
  ['POST', '/api/imports', 'heavy'],
  ['PATCH', '/api/imports/abcdefgh', 'writing'],
  ['PUT', '/api/imports/abcdefgh/files/model.safetensors', 'upload'],
  ['POST', '/api/boards/abcdefgh/runs', 'heavy'],
  ['GET', '/api/boards/abcdefgh/runs', 'reading'],
  ['POST', '/api/boards/abcdefgh/publish', 'heavy'],
  ['POST', '/api/boards/abcdefgh/versions', 'heavy'],
  ['POST', '/api/boards/abcdefgh/claims/c/evidence', 'heavy'],
  ['POST', '/api/boards/abcdefgh/evidence/e/again', 'heavy'],
  ['POST', '/api/boards/abcdefgh/comments', 'writing'],
  ['DELETE', '/api/boards/abcdefgh', 'writing'],
])('%s %s is %s', (method, path, kind) => {
  expect(kindOf(method, path)).toBe(kind);
});

describe('in one process', () => {
  const limits = openLimits({ rateLimits: 'on', redisUrl: null });

  test('a person is counted apart from the others, and an address admits several', async () => {
    expect(await admitted(limits, 'writing', { person: 'ada' }, 300)).toBe(240);
    expect(await admitted(limits, 'writing', { person: 'grace' }, 300)).toBe(240);
    expect(await admitted(limits, 'reading', { person: 'ada' }, 700)).toBe(600);
    expect(await admitted(limits, 'writing', { address: '10.0.0.1' }, 1300)).toBe(1200);
    expect(await admitted(limits, 'static', { address: '10.0.0.1' }, 5000)).toBe(5000);
  });

  test('what is too much tells when to come again', async () => {
    await expect(limits.take('writing', { person: 'ada' })).rejects.toMatchObject({
      code: 'too-fast',
      message: expect.stringMatching(/^requests: expected at most 240 a minute, got more; again in \d+ s$/),
      retryAfter: expect.toSatisfy((seconds: number) => seconds >= 1 && seconds <= 60),
    });
  });

  test('guesses are few by address and by account, and what was none does not count', async () => {
    expect(await admitted(limits, 'sign-in', { address: '10.0.0.2' }, 30)).toBe(10);
    expect(await admitted(limits, 'sign-in', { account: 'Ada@example.org' }, 6)).toBe(6);
    expect(await admitted(limits, 'sign-in', { account: ' ada@EXAMPLE.org' }, 6)).toBe(4);
    for (let count = 0; count < 50; count++) {
      await limits.take('sign-in', { address: '10.0.0.3' });
      await limits.giveBack('sign-in', { address: '10.0.0.3' });
    }
    expect(await admitted(limits, 'sign-in', { address: '10.0.0.3' }, 30)).toBe(10);
  });

  test('an IPv6 network is one address', async () => {
    expect(await admitted(limits, 'join', { address: '2001:db8::1' }, 100)).toBe(100);
    expect(await admitted(limits, 'join', { address: '2001:db8::2' }, 100)).toBe(20);
  });

  test('sockets are counted while they are open', () => {
    const open = Array.from({ length: 401 }, () => limits.openSocket('10.0.0.4'));
    expect(open.filter(Boolean)).toHaveLength(400);
    open[0]?.();
    expect(limits.openSocket('10.0.0.4')).not.toBeNull();
    expect(limits.openSocket('10.0.0.4')).toBeNull();
    expect(limits.openSocket('10.0.0.5')).not.toBeNull();
  });
});

describe.skipIf(!hasRedis())('in several processes', () => {
  let redis: Service;
  let instances: Limits[];
  beforeAll(async () => {
    redis = (await startRedis())!;
    instances = [0, 1].map(() => openLimits({ rateLimits: 'on', redisUrl: redis.url }));
    const probe = new Redis(redis.url);
    // An instance counts by itself until it is connected.
    while (!(await bothCounted(probe))) await new Promise((done) => setTimeout(done, 10));
    probe.disconnect();
  });
  afterAll(async () => {
    for (const limits of instances ?? []) await limits.close();
    await redis?.stop();
  });

  async function bothCounted(probe: Redis): Promise<boolean> {
    await probe.flushall();
    for (const limits of instances) await limits.take('join', { address: '10.1.0.0' });
    const [key] = await probe.keys('pathboard:limit:join:address:*');
    return key !== undefined && (await probe.get(key)) === '2';
  }

  test('they count together, and keep nobody’s address', async () => {
    const [one, two] = instances as [Limits, Limits];
    expect(await admitted(one, 'sign-in', { account: 'canary@example.org' }, 7)).toBe(7);
    expect(await admitted(two, 'sign-in', { account: 'canary@example.org' }, 7)).toBe(3);
    const probe = new Redis(redis.url);
    expect((await probe.keys('*')).join()).not.toMatch(/canary|10\.1\.0\.0/);
    probe.disconnect();
  });

  test('without Redis each counts by itself, and soon without waiting', async () => {
    const [one] = instances as [Limits];
    redis.pause();
    try {
      await one.take('writing', { person: 'ada' });
      await one.take('writing', { person: 'ada' });
      const began = performance.now();
      expect(await admitted(one, 'writing', { person: 'grace' }, 300)).toBe(240);
      expect(performance.now() - began).toBeLessThan(2000);
    } finally {
      redis.resume();
    }
    await redis.kill();
    expect(await admitted(one, 'writing', { person: 'edsger' }, 300)).toBe(240);
  });
});
