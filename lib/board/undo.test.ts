import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { addLabel, readLabels, readSetup, readTitle, setSetup, setTitle } from './board-doc.ts';
import { Undo } from './undo.ts';

const setup = (prompt: string) => ({ model: 'toy', prompt, counterfactual: null, position: null, target: null, foil: null });

function sync(a: Y.Doc, b: Y.Doc): void {
  Y.applyUpdate(b, Y.encodeStateAsUpdate(a, Y.encodeStateVector(b)));
  Y.applyUpdate(a, Y.encodeStateAsUpdate(b, Y.encodeStateVector(a)));
}

function twoPeople() {
  const [mine, theirs] = [new Y.Doc(), new Y.Doc()];
  mine.clientID = 1;
  theirs.clientID = 2;
  mine.getMap('meta').set('setup', setup('first'));
  sync(mine, theirs);
  return { mine, theirs };
}

test('takes back own edits one at a time, and repeats them', () => {
  const { mine, theirs } = twoPeople();
  const undo = new Undo(mine);
  setTitle(mine, 'one');
  setTitle(mine, 'two');
  setTitle(theirs, 'three');
  addLabel(theirs, 'input->logits', 'theirs', 1);
  undo.undo();
  expect(readTitle(mine)).toBe('one');
  undo.redo();
  expect(readTitle(mine)).toBe('two');
  sync(mine, theirs);
  undo.undo();
  expect(readLabels(mine).records).toHaveLength(1);
});

test.each([0, 1])('keeps a setup where two people set it at the same time and one takes theirs back (%i)', (who) => {
  const { mine, theirs } = twoPeople();
  const docs = [mine, theirs];
  const undos = docs.map((doc) => new Undo(doc));
  docs.forEach((doc, index) => setSetup(doc, setup(`by ${index}`)));
  sync(mine, theirs);
  const [together] = docs.map((doc) => readSetup(doc)?.prompt);
  undos[who]!.undo();
  sync(mine, theirs);
  const after = docs.map((doc) => readSetup(doc)?.prompt);
  expect(after[0]).toBe(after[1]);
  expect([together, 'first']).toContain(after[0]);
});
