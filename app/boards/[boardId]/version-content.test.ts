import { expect, it } from 'vitest';
import * as Y from 'yjs';
import { addLabel, editLabel, putGroup, removeLabel, setSetup, setTitle } from '@/lib/board/board-doc.ts';
import { contentOf } from '@/lib/board/restore.ts';
import { differencesOf, stateOf } from './version-content.ts';

const SETUP = { model: 'attn-2l', prompt: 'one two', counterfactual: null, position: null, target: null, foil: null };

it('tells what a version has that the present has not, and the other way round', () => {
  const doc = new Y.Doc();
  setSetup(doc, SETUP);
  setTitle(doc, 'First');
  addLabel(doc, 'a0.h0', 'gone', 1, 'label-gone');
  addLabel(doc, 'a0.h1', 'before', 2, 'label-kept');
  const then = stateOf(contentOf(doc));
  expect(differencesOf(then, stateOf(contentOf(doc)))).toEqual([]);

  setTitle(doc, 'Second');
  setSetup(doc, { ...SETUP, target: ' cat' });
  removeLabel(doc, 'label-gone');
  editLabel(doc, 'label-kept', 'after');
  addLabel(doc, 'a1.h0', 'fresh', 3, 'label-new');
  putGroup(doc, { id: 'g', name: 'copying', members: ['m0', 'm1'], createdAt: 4 });
  expect(differencesOf(then, stateOf(contentOf(doc)))).toEqual([
    { kind: 'changed', what: 'title', old: 'First', now: 'Second' },
    { kind: 'removed', what: 'target', old: null, now: ' cat' },
    { kind: 'added', what: 'a0.h0', old: 'gone', now: null },
    { kind: 'changed', what: 'a0.h1', old: 'before', now: 'after' },
    { kind: 'removed', what: 'a1.h0', old: null, now: 'fresh' },
    { kind: 'removed', what: 'copying', old: null, now: 'copying: m0, m1' },
  ]);
});

it('reads what it can of a document that an editor broke', () => {
  expect(stateOf({ meta: { title: 7, setup: [] }, labels: { a: null, b: { id: 'b' } }, groups: { c: { id: 'c' } } })).toEqual({
    title: '',
    setup: {},
    labels: [],
    groups: [],
  });
  expect(stateOf({})).toEqual({ title: '', setup: {}, labels: [], groups: [] });
});
