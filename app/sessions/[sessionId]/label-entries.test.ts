import { expect, test } from 'vitest';
import type { QueueItem } from '@/lib/wire.ts';
import { lastGiven, nextOpen, shownQueue, type LabelEntry } from './label-entries.ts';

const item = (number: number, more: Partial<QueueItem> = {}): QueueItem => ({
  item: number,
  anchor: `a0.h${number}->logits`,
  title: null,
  members: null,
  value: 1,
  skipped: false,
  takenOver: false,
  mine: null,
  ...more,
});
const own = (id: string, label: string, at: number, blind = true) => ({ id, label, unsure: false, note: '', blind, at });
const base = { authorId: 'p', at: 10, refused: null };
const label = (id: string, of: number, text: string, more: Partial<LabelEntry> = {}): LabelEntry =>
  ({ ...base, kind: 'label', id, item: of, label: text, unsure: false, note: '', ...more }) as LabelEntry;

test('what waits lies on top of what the server has, in order', () => {
  const queue = [item(1, { mine: own('a', 'copies', 1) }), item(2), item(3)];
  const entries: LabelEntry[] = [
    label('b', 1, 'moves'),
    { ...base, kind: 'undo', id: 'u', item: 1, labelId: 'a' },
    { ...base, kind: 'skip', id: 's', item: 3 },
    label('c', 2, 'noise', { refused: 'no' }),
    label('d', 9, 'of no queue'),
  ];
  const shown = shownQueue(queue, entries, true);
  expect(shown.map(({ mine, skipped, pending }) => [mine?.label ?? null, skipped, pending])).toEqual([
    // The label taken back was another one by then.
    ['moves', false, true],
    [null, false, false],
    [null, true, true],
  ]);
  expect(shownQueue(queue, [{ ...base, kind: 'undo', id: 'u', item: 1, labelId: 'a' }], true)[0]!.mine).toBeNull();
});

test('one goes on to the next without a label, and comes to what was put off last', () => {
  const queue = shownQueue(
    [item(1, { skipped: true }), item(2, { mine: own('a', 'x', 1) }), item(3), item(4, { skipped: true })],
    [],
    true,
  );
  expect(nextOpen(queue, 1)).toBe(3);
  expect(nextOpen(queue, 3)).toBe(4);
  expect(nextOpen(queue, 4)).toBe(3);
  const rest = shownQueue([item(1), item(2, { mine: own('a', 'x', 1) })], [], true);
  expect(nextOpen(rest, 2)).toBe(1);
  expect(nextOpen(rest, 1)).toBeNull();
});

test('the last label given is taken back first, and none given blind once they are revealed', () => {
  const queue = shownQueue(
    [item(1, { mine: own('a', 'x', 5) }), item(2, { mine: own('b', 'y', 7, false) }), item(3, { mine: own('c', 'z', 6) })],
    [],
    true,
  );
  expect(lastGiven(queue, false, [])?.item).toBe(2);
  expect(lastGiven(queue, true, [])?.item).toBe(2);
  expect(lastGiven(queue.slice(0, 1), true, [])).toBeNull();
  // What this page gave comes first, whatever any clock says; one given twice was given last.
  expect(lastGiven(queue, false, [3, 1])?.item).toBe(1);
  expect(lastGiven(queue, false, [1, 3, 9])?.item).toBe(3);
  expect(lastGiven(queue, true, [1, 3])?.item).toBe(2);
});
