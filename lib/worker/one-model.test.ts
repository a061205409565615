import { expect, it } from 'vitest';
import { OneModel } from './one-model.ts';

const turn = () => new Promise((done) => setTimeout(done, 0));

/** Models that say when they are opened and closed, and a way to hold a call in the middle of its work. */
function world() {
  const happened: string[] = [];
  const models = new OneModel<{ model: { close(): Promise<void> } }>();
  function use(key: string, { signal = new AbortController().signal, fails = false } = {}) {
    let go = () => {};
    const held = new Promise<void>((done) => (go = done));
    const open = async () => {
      happened.push(`open ${key}`);
      await turn();
      if (fails) throw new Error('no such file');
      const close = async () => void happened.push(`close ${key}`);
      return { model: { close } };
    };
    const ended = models
      .use(key, { open, signal }, async () => {
        happened.push(`use ${key}`);
        await held;
        return 'done';
      })
      .catch((error: unknown) => (error as Error).message);
    return { ended, let: go };
  }
  return { happened, use };
}

it('opens a model once for two that ask at once', async () => {
  const { happened, use } = world();
  const calls = [use('a'), use('a')];
  for (const call of calls) call.let();
  expect(await Promise.all(calls.map(({ ended }) => ended))).toEqual(['done', 'done']);
  expect(happened).toEqual(['open a', 'use a', 'use a']);
});

it('opens one for two that ask at once for another one than there is, and closes the first once', async () => {
  const { happened, use } = world();
  const first = use('a');
  first.let();
  await first.ended;
  const calls = [use('b'), use('b')];
  for (const call of calls) call.let();
  await Promise.all(calls.map(({ ended }) => ended));
  expect(happened).toEqual(['open a', 'use a', 'close a', 'open b', 'use b', 'use b']);
});

it('closes a model when its last user has gone, and opens the next one then', async () => {
  const { happened, use } = world();
  const users = [use('a'), use('a')];
  await turn();
  const next = use('b');
  next.let();
  users[0]!.let();
  await users[0]!.ended;
  await turn();
  expect(happened).toEqual(['open a', 'use a', 'use a']);
  users[1]!.let();
  expect(await next.ended).toBe('done');
  expect(happened.slice(3)).toEqual(['close a', 'open b', 'use b']);
});

it('does not open what nobody waits for any more', async () => {
  const { happened, use } = world();
  const first = use('a');
  await turn();
  const stop = new AbortController();
  const between = use('b', { signal: stop.signal });
  stop.abort();
  expect(await between.ended).toContain('a request to stop');
  const last = use('c');
  last.let();
  first.let();
  expect(await last.ended).toBe('done');
  expect(happened).toEqual(['open a', 'use a', 'close a', 'open c', 'use c']);
});

it('tries again after one that could not be opened', async () => {
  const { happened, use } = world();
  expect(await use('a', { fails: true }).ended).toBe('no such file');
  const again = use('a');
  again.let();
  expect(await again.ended).toBe('done');
  expect(happened).toEqual(['open a', 'open a', 'use a']);
});
