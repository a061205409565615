import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEngine } from './index.ts';
import { randomLens, writeModel } from './random-model.ts';

const OTHERS = ['one', 'two', 'three', 'four'];

let home: string;
let engine: ReturnType<typeof createEngine>;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'pathboard-home-'));
  const sizes = { layers: 6, heads: 8, d: 128, dHead: 16, dMlp: 0, vocabulary: 100, context: 128, norm: 'LN', activation: null } as const;
  await mkdir(join(home, 'models'));
  await rename(await writeModel(randomLens(sizes, 1), join(home, 'models')), join(home, 'models', 'slow'));
  for (const name of OTHERS) {
    const folder = await writeModel(randomLens({ ...sizes, layers: 1, heads: 1, d: 8, dHead: 8 }, 2), join(home, 'models'));
    await rename(folder, join(home, 'models', name));
  }
  engine = createEngine({ home, threads: 1 });
});
afterAll(async () => {
  await engine.close();
  await rm(home, { recursive: true });
});

const tokens = Array.from({ length: 128 }, (_, index) => index % 100);
const heads = Array.from({ length: 8 }, (_, head) => head);
const paths = [0, 1].flatMap((layer) =>
  heads.flatMap((a) => heads.flatMap((b) => heads.map((c) => `a${layer}.h${a}->a${layer + 2}.h${b}->a${layer + 4}.h${c}->logits`))),
);

test('a short request is answered beside any number of long ones, and these stop when asked to', async () => {
  const leaving = new AbortController();
  let ended = 0;
  const long = Array.from({ length: 5 }, (_, index) =>
    engine
      .analyze({ view: 'path-effect', model: 'slow', tokens, paths, position: 127 - index }, { signal: leaving.signal })
      .then(
        () => 'answered',
        (error: unknown) => (error as { code?: string }).code,
      )
      .finally(() => (ended += 1)),
  );
  const answer = await engine.analyze({ view: 'logits', model: 'slow', tokens: [1, 2], top: 1 });
  expect(answer.terms).toHaveLength(1);
  expect(ended).toBe(0);
  leaving.abort();
  expect(await Promise.all(long)).toEqual(long.map(() => 'cancelled'));
  expect((await engine.analyze({ view: 'logits', model: 'slow', tokens: [1, 2], top: 1 })).terms).toEqual(answer.terms);
}, 60_000);

test('a naive expansion is a long one', async () => {
  let ended = 0;
  const long = Array.from({ length: 4 }, (_, index) =>
    engine.analyze({ view: 'naive-expansion', model: 'slow', tokens, maxDegree: 6, position: 127 - index }).finally(() => (ended += 1)),
  );
  await engine.analyze({ view: 'logits', model: 'slow', tokens: [1, 2, 3], top: 1 });
  expect(ended).toBe(0);
  expect((await Promise.all(long)).map(({ terms }) => terms)).toEqual(long.map(() => expect.objectContaining({ length: 7 }) as unknown));
}, 60_000);

test('a model is not closed under an analysis because others are asked about meanwhile', async () => {
  const long = engine.analyze({ view: 'path-effect', model: 'slow', tokens, paths });
  for (const model of OTHERS) await engine.analyze({ view: 'logits', model, tokens: [1, 2], top: 1 });
  expect((await long).terms).toHaveLength(paths.length);
}, 60_000);
