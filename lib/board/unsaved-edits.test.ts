import { expect, it } from 'vitest';
import { UnsavedEdits } from './unsaved-edits.ts';

const STEP_1 = Uint8Array.of(0, 0);
const STEP_2 = Uint8Array.of(0, 1);
const UPDATE = Uint8Array.of(0, 2);
const PRESENCE = Uint8Array.of(1, 1);

function connected(): UnsavedEdits<string> {
  const edits = new UnsavedEdits<string>();
  edits.opened();
  for (const frame of [STEP_1, PRESENCE, STEP_2]) edits.sending(frame);
  edits.stored(1);
  return edits;
}

it('counts an edit as unsaved until the message that carried it is stored', () => {
  const edits = connected();
  edits.sending(UPDATE);
  edits.add('label', true);
  edits.sending(UPDATE);
  edits.add('label', true);
  expect(edits.count).toBe(2);
  edits.stored(2);
  expect(edits.count).toBe(1);
  edits.stored(3);
  expect(edits.count).toBe(0);
});

it('keeps edits made without a connection until the catching-up message is stored', () => {
  const edits = connected();
  edits.add('title', false);
  edits.add('label', false);
  edits.opened();
  edits.sending(STEP_1);
  edits.stored(0);
  expect(edits.edits).toEqual(['title', 'label']);
  edits.sending(STEP_2);
  edits.stored(1);
  expect(edits.count).toBe(0);
});

it('does not trust an acknowledgement of an earlier connection', () => {
  const edits = connected();
  edits.sending(UPDATE);
  edits.add('label', true);
  edits.opened();
  edits.stored(2);
  expect(edits.count).toBe(1);
});
