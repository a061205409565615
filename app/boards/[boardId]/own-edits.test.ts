import { expect, it } from 'vitest';
import * as Y from 'yjs';
import {
  addLabel,
  editLabel,
  putGroup,
  readGroups,
  readLabels,
  readTitle,
  removeGroup,
  removeLabel,
  setTitle,
} from '@/lib/board/board-doc.ts';
import { applyAgain, editOf, lastChanges, type OwnEdit } from './own-edits.ts';

function recorded(work: (doc: Y.Doc) => void): OwnEdit[] {
  const doc = new Y.Doc();
  const edits: OwnEdit[] = [];
  doc.on('update', (_update: Uint8Array, _origin: unknown, _doc: Y.Doc, transaction: Y.Transaction) => edits.push(editOf(transaction, 1)));
  work(doc);
  return edits;
}

it('applies what was edited to another document, the last word on each', () => {
  const edits = recorded((doc) => {
    setTitle(doc, 'one');
    setTitle(doc, 'two');
    addLabel(doc, 'a0.h0', 'first', 1, 'label-1');
    editLabel(doc, 'label-1', 'second');
    addLabel(doc, 'a0.h1', 'passing', 2, 'label-2');
    removeLabel(doc, 'label-2');
  });
  const changes = lastChanges(edits);
  expect(changes.map(({ map, key }) => `${map}.${key}`)).toEqual(['meta.title', 'labels.label-1', 'labels.label-2']);

  const other = new Y.Doc();
  addLabel(other, 'a0.h0', 'old', 1, 'label-1');
  addLabel(other, 'a0.h1', 'old', 1, 'label-2');
  for (const change of changes) applyAgain(other, change);
  expect(readTitle(other)).toBe('two');
  expect(readLabels(other).records.map(({ id, text }) => [id, text])).toEqual([['label-1', 'second']]);
});

it('makes a label anew that the other document does not have', () => {
  const [edit] = recorded((doc) => addLabel(doc, 'a0.h0', 'alone', 5, 'label-1'));
  const other = new Y.Doc();
  applyAgain(other, edit!.changes[0]!);
  expect(readLabels(other).records).toEqual([{ id: 'label-1', anchor: 'a0.h0', text: 'alone', createdAt: 5 }]);
});

it('makes mechanisms anew, and takes away those that were removed', () => {
  const edits = recorded((doc) => {
    putGroup(doc, { id: 'kept', name: 'copying', members: ['m0'], createdAt: 1 });
    putGroup(doc, { id: 'gone', name: 'passing', members: [], createdAt: 2 });
    removeGroup(doc, 'gone');
  });
  const other = new Y.Doc();
  putGroup(other, { id: 'gone', name: 'old', members: ['m1'], createdAt: 2 });
  for (const change of lastChanges(edits)) applyAgain(other, change);
  expect(readGroups(other).records).toEqual([{ id: 'kept', name: 'copying', members: ['m0'], createdAt: 1 }]);
});
