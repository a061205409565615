import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { addLabel, setTitle } from '../../lib/board/board-doc.ts';
import { any, updateOf } from '../attacks/payloads.ts';
import { CLOSE } from '../../lib/wire.ts';
import { Budgets } from './budgets.ts';
import { Judge } from './judge.ts';
import { WRITABLE, decodeUpdate } from './legality.ts';
import { Scratch } from './scratch.ts';

const clock = { now: 0 };

function judgeOf(budgets: Budgets): Judge {
  return new Judge(new Scratch(() => Y.encodeStateAsUpdate(new Y.Doc())), WRITABLE.board, (personId) => budgets.of('board/1', personId));
}

function judging(judge: Judge, update: Uint8Array, personId = 'mallory') {
  return judge.try({ personId, update, decoded: decodeUpdate(update) }, () => null);
}

/** Values of keys that nobody has used. */
function labels(client: number, from: number, count: number): Uint8Array {
  return updateOf([{ client, clock: from, structs: Array.from({ length: count }, (_, n) => any(`${client} ${from + n}`, 1)) }]);
}

test('a person fills a room no faster than by hand, and others have a budget of their own', () => {
  const judge = judgeOf(new Budgets(() => clock.now));
  judging(judge, labels(1, 0, 20_000));
  expect(() => judging(judge, labels(1, 20_000, 1))).toThrow(expect.objectContaining({ code: CLOSE.tooFast }));
  expect(judging(judge, labels(2, 0, 5000), 'ada')).not.toBeNull();
  clock.now += 2000;
  expect(judging(judge, labels(1, 20_000, 100))).not.toBeNull();
  expect(() => judging(judge, labels(1, 20_100, 1))).toThrow(expect.objectContaining({ code: CLOSE.tooFast }));
});

test('the client ids of one person are counted', () => {
  const judge = judgeOf(new Budgets(() => clock.now));
  const crowd = (first: number, count: number) =>
    updateOf(
      Array.from({ length: count }, (_, n) => first + count - n).map((client) => ({ client, clock: 0, structs: [any(`${client}`, 1)] })),
    );
  for (let turn = 0; turn < 200; turn++) {
    clock.now += 2000;
    expect(judging(judge, crowd(turn * 100, 100))).not.toBeNull();
  }
  clock.now += 2000;
  const refused = expect.objectContaining({ code: CLOSE.tooFast, message: 'more than 20000 client ids of one person' });
  expect(() => judging(judge, crowd(20_000, 1))).toThrow(refused);
  expect(judging(judge, crowd(20_000, 1), 'ada')).not.toBeNull();
});

test('who has nothing left can still delete', () => {
  const judge = judgeOf(new Budgets(() => clock.now));
  judging(judge, labels(1, 0, 20_000));
  expect(judging(judge, updateOf([], [{ client: 1, ranges: [{ clock: 0, length: 900 }] }]))).not.toBeNull();
});

test('a room that is loaded anew remembers what was spent', () => {
  const budgets = new Budgets(() => clock.now);
  judging(judgeOf(budgets), labels(1, 0, 20_000));
  expect(() => judging(judgeOf(budgets), labels(2, 0, 1))).toThrow(expect.objectContaining({ code: CLOSE.tooFast }));
});

test('what a day offline leaves costs what it adds, and a value typed over and over next to nothing', () => {
  const judge = judgeOf(new Budgets(() => clock.now));
  const [typing, offline] = [new Y.Doc(), new Y.Doc()];
  const updates: Uint8Array[] = [];
  typing.on('update', (update: Uint8Array) => updates.push(update));
  for (let n = 0; n < 25_000; n++) setTitle(typing, `title ${n}`);
  for (const update of updates) judging(judge, update);
  for (let n = 0; n < 4000; n++) addLabel(offline, 'a0.h0', `label ${n}`, n);
  expect(judging(judge, Y.encodeStateAsUpdate(offline))).not.toBeNull();
});

test('what could not be stored comes again and is not charged twice', () => {
  const judge = judgeOf(new Budgets(() => clock.now));
  const update = labels(1, 0, 20_000);
  const entry = judging(judge, update);
  judge.forget([entry!]);
  judge.scratch.renew([]);
  expect(judging(judge, update)).not.toBeNull();
});
