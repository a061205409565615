import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import * as Y from 'yjs';
import { BOARD_MAPS, addLabel, setTitle } from './board-doc.ts';
import { isEqual } from './json.ts';
import { contentOf, restoreContent } from './restore.ts';
import { Undo } from './undo.ts';

const value = fc.oneof(
  fc.integer(),
  fc.string(),
  fc.constant(null),
  fc.record({ text: fc.string(), at: fc.array(fc.integer()) }, { noNullPrototype: true }),
);
const map = fc.dictionary(fc.string({ minLength: 1, maxLength: 3 }), value, { maxKeys: 6, noNullPrototype: true });
const content = fc.record({ meta: map, labels: map, groups: map, members: map });

function docOf(given: Record<string, Record<string, unknown>>): Y.Doc {
  const doc = new Y.Doc();
  for (const name of BOARD_MAPS) for (const [key, one] of Object.entries(given[name] ?? {})) doc.getMap(name).set(key, one);
  return doc;
}

it('gives exactly the content, and undo gives exactly what was there before', () => {
  fc.assert(
    fc.property(content, content, (before, wanted) => {
      const doc = docOf(before);
      const undo = new Undo(doc);
      restoreContent(doc, wanted);
      expect(contentOf(doc)).toEqual(wanted);
      undo.undo();
      expect(contentOf(doc)).toEqual(before);
      undo.redo();
      expect(contentOf(doc)).toEqual(wanted);
    }),
  );
});

it('leaves alone what is equal, so that an edit made elsewhere meanwhile stays', () => {
  const doc = new Y.Doc();
  const label = addLabel(doc, 'input->logits', 'one', 1);
  const then = contentOf(doc);
  setTitle(doc, 'another title');
  const other = new Y.Doc();
  Y.applyUpdate(other, Y.encodeStateAsUpdate(doc));
  other.getMap('labels').set(label.id, { ...label, text: 'two' });
  restoreContent(doc, then);
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(other));
  expect(contentOf(doc)).toEqual({ meta: {}, labels: { [label.id]: { ...label, text: 'two' } }, groups: {}, members: {} });
});

it('compares JSON values by what they say', () => {
  expect(isEqual({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 })).toBe(true);
  expect(isEqual([1], { 0: 1 })).toBe(false);
  expect(isEqual({ a: undefined }, {})).toBe(false);
  expect(isEqual(null, {})).toBe(false);
});
