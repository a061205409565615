import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { disagreements } from './agreement.ts';
import { Ledger, editOf, type Edit } from './ledger.ts';

/** A torture that would not notice a loss proves nothing. */

/** A tab whose edits are in a ledger, and the update that each of them was. */
function tab() {
  const doc = new Y.Doc();
  const ledger = new Ledger();
  const edits: Edit[] = [];
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array, _origin: unknown, _doc: Y.Doc, transaction: Y.Transaction) => {
    const edit = editOf(transaction);
    ledger.made(edit, () => true);
    edits.push(edit);
    updates.push(update);
  });
  return { doc, labels: doc.getMap('labels'), ledger, edits, updates };
}

function docOf(updates: readonly Uint8Array[]): Y.Doc {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  return doc;
}

test('an acknowledged edit that is not in the document is missed, one without an answer is not', () => {
  const { labels, ledger, edits, updates } = tab();
  labels.set('a', 1);
  labels.set('b', 2);
  ledger.acknowledge(edits[0]!);
  expect(ledger.promise()(docOf(updates.slice(0, 1)))).toEqual([]);
  expect(ledger.promise()(docOf(updates))).toEqual([]);
  expect(ledger.promise()(docOf([]))).toEqual([
    expect.stringContaining('acknowledged up to 1, kept up to 0'),
    'labels a: expected 1, got null',
  ]);
  ledger.acknowledge(edits[1]!);
  expect(ledger.promise()(docOf(updates.slice(0, 1)))).toEqual([
    expect.stringContaining('acknowledged up to 2, kept up to 1'),
    'labels b: expected 2, got null',
  ]);
});

test('an acknowledged deletion that did not stay is missed', () => {
  const { labels, ledger, edits, updates } = tab();
  labels.set('a', 1);
  labels.delete('a');
  for (const edit of edits) ledger.acknowledge(edit);
  expect(ledger.promise()(docOf(updates))).toEqual([]);
  expect(ledger.promise()(docOf(updates.slice(0, 1)))).toEqual([
    'deletions: expected all that were acknowledged, got fewer',
    'labels a: expected null, got 1',
  ]);
});

test('an acknowledged deletion promises nothing about older edits that still wait', () => {
  const { labels, ledger, edits, updates } = tab();
  labels.set('a', 1);
  ledger.acknowledge(edits[0]!);
  // Made offline: it waits for the answer to step 1. The deletion, made once connected, is stored before that.
  labels.set('b', 2);
  labels.delete('a');
  ledger.acknowledge(edits[2]!);
  const promised = ledger.promise();
  expect(promised(docOf([updates[0]!, updates[2]!]))).toEqual([]);
  expect(promised(docOf([updates[0]!]))).toEqual([
    'deletions: expected all that were acknowledged, got fewer',
    'labels a: expected null, got 1',
  ]);
});

test('what was acknowledged after the promise is not looked for', () => {
  const { labels, ledger, edits, updates } = tab();
  labels.set('a', 1);
  const promised = ledger.promise();
  ledger.acknowledge(edits[0]!);
  expect(promised(docOf([]))).toEqual([]);
  expect(promised(docOf(updates))).toEqual([]);
});

test('copies that look alike and are not the same are told apart', () => {
  const { doc, labels } = tab();
  labels.set('a', 1);
  const first = { who: 'one', doc };
  const same = { who: 'another', doc: docOf([Y.encodeStateAsUpdate(doc)]) };
  expect(disagreements([first, same])).toEqual([]);
  same.doc.getMap('labels').set('b', 2);
  expect(disagreements([first, same])).toEqual(['another differs from one: content, state vector']);
  same.doc.getMap('labels').delete('b');
  expect(disagreements([first, same])).toEqual(['another differs from one: state vector, delete set']);
});
