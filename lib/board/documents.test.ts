import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import {
  addLabel,
  editLabel,
  putGroup,
  readGroups,
  readLabels,
  readSetup,
  readTitle,
  removeGroup,
  removeLabel,
  setSetup,
  setTitle,
} from './board-doc.ts';
import { readClaims, readComments, readEvidence, readThreads } from './discussion-doc.ts';

const SETUP = { model: 'toy', prompt: 'When Mary', counterfactual: null, position: null, target: ' Mary', foil: 'none' };

test('labels are added, changed, removed, and listed by age', () => {
  const doc = new Y.Doc();
  const second = addLabel(doc, 'a1.h0->logits', ' copies ', 2);
  const first = addLabel(doc, 'm0', 'early', 1);
  expect(readLabels(doc).records).toEqual([first, { ...second, text: 'copies' }]);
  expect(editLabel(doc, first.id, 'later')).toBe(true);
  removeLabel(doc, second.id);
  expect(readLabels(doc)).toEqual({ records: [{ ...first, text: 'later' }], flaws: [] });
  expect(editLabel(doc, second.id, 'gone')).toBe(false);
});

test('a label needs an anchor of the grammar and words', () => {
  const doc = new Y.Doc();
  expect(() => addLabel(doc, 'a1.x->logits', 'copies', 1)).toThrow('label: expected a path, edge, node or mechanism, got "a1.x->logits"');
  expect(() => addLabel(doc, 'm0', '  ', 1)).toThrow('label: expected 1 to 200 characters, got 0');
  expect(doc.getMap('labels').size).toBe(0);
});

test('mechanisms are added, changed, removed, and hold each member once', () => {
  const doc = new Y.Doc();
  const group = putGroup(doc, { id: 'g1', name: ' copying ', members: ['m0', 'a1.h0->logits', 'm0'], createdAt: 1 });
  expect(group).toEqual({ id: 'g1', name: 'copying', members: ['m0', 'a1.h0->logits'], createdAt: 1 });
  const label = addLabel(doc, 'group:g1', 'early', 2);
  expect(readLabels(doc).records).toEqual([label]);
  putGroup(doc, { ...group, name: 'moving' });
  expect(readGroups(doc)).toEqual({ records: [{ ...group, name: 'moving' }], flaws: [] });
  expect(() => putGroup(doc, { ...group, members: ['token:1'] })).toThrow(
    'mechanism: expected a name of 1 to 200 characters and up to 1000',
  );
  expect(() => putGroup(doc, { ...group, name: '  ' })).toThrow('mechanism');
  removeGroup(doc, 'g1');
  expect(readGroups(doc).records).toEqual([]);
});

test('people who change one mechanism at the same time do not undo each other', () => {
  const here = new Y.Doc();
  const group = putGroup(here, { id: 'g1', name: 'copying', members: ['m0', 'm1'], createdAt: 1 });
  const there = new Y.Doc();
  Y.applyUpdate(there, Y.encodeStateAsUpdate(here));
  putGroup(here, { ...group, members: ['m0', 'm1', 'm2', 'm3'] });
  putGroup(there, { ...group, name: 'moving' });
  putGroup(there, { ...group, name: 'moving', members: ['m1', 'a0.h0'] });
  const [fromHere, fromThere] = [Y.encodeStateAsUpdate(here), Y.encodeStateAsUpdate(there)];
  Y.applyUpdate(there, fromHere);
  Y.applyUpdate(here, fromThere);
  const [merged] = readGroups(here).records;
  expect(readGroups(there).records).toEqual([merged]);
  expect({ ...merged, members: merged!.members.toSorted() }).toEqual({ ...group, name: 'moving', members: ['a0.h0', 'm1', 'm2', 'm3'] });
});

test('a mechanism whose record holds its members is read, and changed like any other', () => {
  const doc = new Y.Doc();
  const old = { id: 'g1', name: 'copying', members: ['m0', 'm1'], createdAt: 1 };
  doc.getMap('groups').set('g1', old);
  expect(readGroups(doc).records).toEqual([old]);
  putGroup(doc, { ...old, members: ['m1', 'm2'] });
  expect(readGroups(doc).records).toEqual([{ ...old, members: ['m1', 'm2'] }]);
  doc.getMap('members').set('bad', { id: 'bad', groupId: 'g1', anchor: 'token:1', createdAt: 3 });
  doc.getMap('members').set('orphan', { id: 'orphan', groupId: 'g2', anchor: 'm0', createdAt: 3 });
  expect(readGroups(doc)).toEqual({
    records: [{ ...old, members: ['m1', 'm2'] }],
    flaws: [{ id: 'bad', reason: 'malformed: anchor' }],
  });
});

test('the setup is read as it was written, or not at all', () => {
  const doc = new Y.Doc();
  expect(readSetup(doc)).toBeNull();
  setSetup(doc, SETUP);
  setTitle(doc, ' My board ');
  expect(readSetup(doc)).toEqual(SETUP);
  expect(readTitle(doc)).toBe('My board');
  doc.getMap('meta').set('setup', { ...SETUP, position: 'last' });
  doc.getMap('meta').set('title', 5);
  expect(readSetup(doc)).toBeNull();
  expect(readTitle(doc)).toBe('');
});

test('malformed records are left out and named', () => {
  const doc = new Y.Doc();
  const good = addLabel(doc, 'm0', 'good', 1);
  doc.getMap('labels').set('no-text', { ...good, id: 'no-text', text: undefined });
  doc.getMap('labels').set('elsewhere', good);
  doc.getMap('labels').set('number', 5);
  doc.getMap('labels').set('nested', new Y.Map());
  expect(readLabels(doc)).toEqual({
    records: [good],
    flaws: expect.arrayContaining([
      { id: 'no-text', reason: 'malformed: text' },
      { id: 'elsewhere', reason: 'stored under another id than its own' },
      { id: 'number', reason: 'malformed: the record itself' },
      { id: 'nested', reason: 'malformed: id' },
    ]),
  });
});

test('no value whatever makes a reader throw', () => {
  const record = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        id: fc.constant('k'),
        text: fc.jsonValue(),
        anchor: fc.jsonValue(),
        author: fc.jsonValue(),
        createdAt: fc.jsonValue(),
        stances: fc.jsonValue(),
      },
      { requiredKeys: ['id'], noNullPrototype: true },
    ),
  );
  fc.assert(
    fc.property(record, (value) => {
      const doc = new Y.Doc();
      for (const map of ['labels', 'groups', 'threads', 'comments', 'claims', 'evidence']) doc.getMap(map).set('k', value);
      doc.getMap('meta').set('setup', value);
      for (const read of [readLabels, readGroups, readThreads, readComments, readClaims, readEvidence]) {
        const { records, flaws } = read(doc);
        expect(records.length + flaws.length).toBe(1);
      }
      readSetup(doc);
    }),
    { seed: 3 },
  );
});
