import type { SetStateAction } from 'react';
import { afterEach, expect, it, vi } from 'vitest';
import { analyze, type StreamOptions } from '@/app/ui/analysis.ts';
import { ask } from './use-answer.ts';

vi.mock('@/app/ui/analysis.ts', () => ({ analyze: vi.fn<typeof analyze>() }));
afterEach(() => vi.mocked(analyze).mockReset());

type State = Parameters<typeof ask>[2] extends (next: SetStateAction<infer S>) => void ? S : never;
const EMPTY: State = { key: null, answer: null, progress: null, error: null, cancelled: false };

/** A request under way, with what it has written so far. */
function asking(key: string) {
  let state = EMPTY;
  const abort = new AbortController();
  let options: StreamOptions = {};
  let finish: { answer: (answer: never) => void; fail: (error: Error) => void };
  vi.mocked(analyze).mockImplementation((_, given = {}) => {
    options = given;
    return new Promise((resolve, reject) => (finish = { answer: resolve, fail: reject }));
  });
  const asked = ask(key, abort.signal, (next) => (state = typeof next === 'function' ? next(state) : next));
  return {
    abort: () => abort.abort(),
    progress: (done: number) => options.onProgress?.({ done, total: 9, what: 'steps' }),
    answer: (answer: unknown) => (finish.answer(answer as never), asked),
    fail: (message: string) => (finish.fail(new Error(message)), asked),
    state: () => state,
  };
}

it('writes its progress and its answer while it is wanted', async () => {
  const request = asking('{"view":"flow"}');
  request.progress(3);
  expect(request.state().progress).toEqual({ done: 3, total: 9, what: 'steps' });
  await request.answer({ view: 'flow' });
  expect(request.state()).toEqual({ ...EMPTY, key: '{"view":"flow"}', answer: { view: 'flow' } });
});

it('writes nothing once another has taken its place', async () => {
  for (const end of ['answer', 'fail'] as const) {
    const request = asking('{"view":"heads"}');
    request.progress(1);
    const before = request.state();
    request.abort();
    request.progress(2);
    await request[end]('too late');
    expect(request.state()).toBe(before);
  }
});

it('says what went wrong in place of the progress', async () => {
  const request = asking('{"view":"units"}');
  request.progress(1);
  await request.fail('no');
  expect(request.state()).toMatchObject({ progress: null, error: expect.any(String), answer: null });
});
