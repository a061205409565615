import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { Replica } from './replica.ts';

const NOTHING = Uint8Array.of(0);

function filled(values: number): { doc: Y.Doc; replica: Replica } {
  const doc = new Y.Doc();
  for (let value = 0; value < values; value++) doc.getMap('labels').set(`label-${value}`, 'x'.repeat(200));
  const bytes = Y.encodeStateAsUpdate(doc);
  const copy = new Y.Doc();
  Y.applyUpdate(copy, bytes);
  return { doc, replica: new Replica({ doc: copy, epoch: 0, last: 1, rows: 1, logBytes: bytes.length, snapshotBytes: 0 }) };
}

/** Makes a change of the document a row of the log. */
function edit({ doc, replica }: { doc: Y.Doc; replica: Replica }, change: (labels: Y.Map<unknown>) => void): void {
  let made: Uint8Array | null = null;
  doc.once('update', (update: Uint8Array) => (made = update));
  doc.transact(() => change(doc.getMap('labels')));
  replica.add([made!], replica.last + 1);
}

function joined(frames: readonly Uint8Array[]): Y.Doc {
  const doc = new Y.Doc();
  for (const frame of frames) Y.applyUpdate(doc, frame);
  return doc;
}

describe('whoever joins with nothing', () => {
  test.each([10, 2000])('gets the document of %i labels as it is, however it is put together', (size) => {
    const board = filled(size);
    const first = board.replica.missingFrom(NOTHING);
    edit(board, (labels) => labels.set('label-0', 'changed'));
    edit(board, (labels) => labels.delete('label-1'));
    edit(board, (labels) => labels.set('new', 'label'));
    const second = board.replica.missingFrom(NOTHING);
    expect(joined(first).getMap('labels').size).toBe(size);
    expect(joined(second).getMap('labels').toJSON()).toEqual(board.doc.getMap('labels').toJSON());
    expect(Y.equalSnapshots(Y.snapshot(joined(second)), Y.snapshot(board.doc))).toBe(true);
    expect(second[0] === first[0]).toBe(size === 2000);
  });

  test('is not sent what was purged', () => {
    const board = filled(2000);
    edit(board, (labels) => labels.set('secret', 'a word that must go'));
    const sent = () => Buffer.concat(board.replica.missingFrom(NOTHING)).includes('a word that must go');
    expect(sent()).toBe(true);
    edit(board, (labels) => labels.delete('secret'));
    board.replica.compacted({ rows: 3, bytes: 400_000 });
    expect(sent()).toBe(false);
  });
});
