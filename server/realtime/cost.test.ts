import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { addLabel, setTitle } from '../../lib/board/board-doc.ts';
import { any, updateOf, type Struct } from '../attacks/payloads.ts';
import { costOf } from './cost.ts';
import { decodeUpdate } from './legality.ts';

const ENOUGH = 1_000_000;

function cost(update: Uint8Array, doc = new Y.Doc()) {
  return costOf(decodeUpdate(update), doc, ENOUGH);
}

function docOf(...updates: Uint8Array[]): Y.Doc {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  return doc;
}

const by = (client: number, structs: readonly Struct[], clock = 0) => updateOf([{ client, clock, structs }]);
/** A value of the same key that builds on another one. */
const after = (client: number, clock: number): Struct => ({ ref: 8, values: [1], key: null, left: { client, clock } });
/** Values of one key, each overwriting the one before. */
const chain = (client: number, length: number) =>
  by(client, [any('key', 1), ...Array.from({ length: length - 1 }, (_, clock) => after(client, clock))]);

test('what honest clients do costs nothing: edits, a key typed a thousand times, two tabs that meet after hours offline', () => {
  const shared = new Y.Doc();
  const undo = new Y.UndoManager([shared.getMap('meta')], { trackedOrigins: new Set(['pathboard:edit']), captureTimeout: 0 });
  for (let n = 0; n < 1000; n++) setTitle(shared, `title ${n}`);
  for (let n = 0; n < 100; n++) addLabel(shared, 'm0', `label ${n}`, n);
  undo.undo();
  expect(cost(Y.encodeStateAsUpdate(shared))).toEqual({ steps: 0, splits: 0, moves: expect.any(Number) });
  const [a, b] = [docOf(Y.encodeStateAsUpdate(shared)), docOf(Y.encodeStateAsUpdate(shared))];
  for (const doc of [a, b]) {
    for (const [index, key] of [...doc.getMap('labels').keys()].entries()) doc.getMap('labels').set(key, { index });
    for (let n = 0; n < 20; n++) setTitle(doc, `offline ${n}`);
  }
  const server = docOf(Y.encodeStateAsUpdate(a));
  const late = Y.encodeStateAsUpdate(b, Y.encodeStateVector(server));
  expect(cost(late, server)).toMatchObject({ steps: 0, splits: 0 });
});

test.each<[string, Uint8Array, Y.Doc]>([
  [
    'values that know nothing of each other',
    by(
      1,
      Array.from({ length: 2000 }, () => any('key', 1)),
    ),
    new Y.Doc(),
  ],
  [
    'the same, one more',
    by(2, [any('key', 1)]),
    docOf(
      chain(1, 1500),
      by(
        3,
        Array.from({ length: 1500 }, (_, n) => after(1, n)),
      ),
    ),
  ],
  [
    'values that each build on an earlier one than the one before',
    updateOf([
      { client: 9, clock: 0, structs: Array.from({ length: 1000 }, (_, n) => after(1, 999 - n)) },
      { client: 1, clock: 0, structs: [any('key', 1), ...Array.from({ length: 999 }, (_, clock) => after(1, clock))] },
    ]),
    new Y.Doc(),
  ],
  [
    'the same, a few at a time',
    by(
      9,
      Array.from({ length: 5 }, (_, n) => after(1, 4 - n)),
    ),
    alternating(2000),
  ],
])('%s are counted before they are walked', (_, update, doc) => {
  expect(cost(update, doc).steps).toBeGreaterThan(999);
});

test('what is cut in the middle is counted', () => {
  const doc = docOf(chain(1, 1000));
  expect(cost(by(9, [after(1, 10), after(1, 20)]), doc)).toMatchObject({ splits: 2 });
  const long = updateOf([{ client: 1, clock: 0, structs: [any('key', ...Array.from({ length: 100 }, () => 1))] }]);
  const deletions = updateOf([], [{ client: 1, ranges: Array.from({ length: 50 }, (_, n) => ({ clock: 2 * n + 1, length: 1 })) }]);
  expect(cost(deletions, docOf(long)).splits).toBeGreaterThan(90);
});

test('what becomes one with its neighbours is counted by what it moves', () => {
  const triples = Array.from({ length: 3000 }, (_, n) => (n % 3 === 0 ? any(`key ${n}`, 1) : after(1, n - 1)));
  expect(cost(by(1, triples)).moves).toBe(1000 * 3000);
  const pairs = docOf(
    by(
      1,
      Array.from({ length: 2000 }, (_, n) => (n % 2 === 0 ? any(`key ${n}`, 1) : after(1, n - 1))),
    ),
  );
  const deletions = updateOf([], [{ client: 1, ranges: Array.from({ length: 1000 }, (_, n) => ({ clock: 2 * n + 1, length: 1 })) }]);
  expect(cost(deletions, pairs).moves).toBe(1000 * 2000);
});

/** One key, overwritten by two clients in turn: nothing of it can be merged. */
function alternating(length: number): Y.Doc {
  const [a, b] = [new Y.Doc(), new Y.Doc()];
  a.clientID = 1;
  b.clientID = 2;
  for (let n = 0; n < length; n++) {
    const [from, to] = n % 2 === 0 ? [a, b] : [b, a];
    from.getMap('labels').set('key', n);
    Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)));
  }
  return b;
}
