import type * as Y from 'yjs';
import { EngineError, parseNode, parsePath } from '../engine/index.ts';
import { is, number, orNull, readRecords, text, whole, type Fields, type Read } from './fields.ts';
import type { Label, Setup } from './records.ts';

/**
 * The board document. Editors write it over the socket, so a reader here takes nothing for granted.
 * Its maps hold plain JSON values alone: the server refuses nested shared types.
 */

export const BOARD_MAPS = ['meta', 'labels'] as const;
/** Origin of the edits below, for an undo manager to track. */
export const EDIT = 'pathboard:edit';

export const LIMITS = { title: 200, label: 200, anchor: 10_000, prompt: 100_000, name: 1000 } as const;

const SETUP: Fields<Setup> = {
  model: text(200),
  prompt: text(LIMITS.prompt),
  counterfactual: orNull(text(LIMITS.prompt)),
  position: orNull(whole),
  target: orNull(text(LIMITS.name)),
  foil: orNull(text(LIMITS.name)),
};

const LABEL: Fields<Label> = {
  id: text(40),
  anchor: (value) => typeof value === 'string' && isAnchor(value),
  text: text(LIMITS.label),
  createdAt: number,
};

/** Null when the document has none, or an editor broke it. */
export function readSetup(doc: Y.Doc): Setup | null {
  const value: unknown = doc.getMap('meta').get('setup');
  return is<Setup>(value, SETUP) ? value : null;
}

export function readTitle(doc: Y.Doc): string {
  const value: unknown = doc.getMap('meta').get('title');
  return typeof value === 'string' ? value.slice(0, LIMITS.title) : '';
}

/** Oldest first. */
export function readLabels(doc: Y.Doc): Read<Label> {
  return readRecords<Label>(doc.getMap('labels').entries(), LABEL, (a, b) => a.createdAt - b.createdAt || compare(a.id, b.id));
}

export function setSetup(doc: Y.Doc, setup: Setup): void {
  if (!is<Setup>(setup, SETUP)) {
    throw new EngineError(
      'bad-request',
      'setup',
      'a model, a prompt, and counterfactual, position, target and foil or null',
      'something else',
    );
  }
  doc.transact(() => doc.getMap('meta').set('setup', { ...setup }), EDIT);
}

export function setTitle(doc: Y.Doc, title: string): void {
  doc.transact(() => doc.getMap('meta').set('title', title.trim().slice(0, LIMITS.title)), EDIT);
}

export function addLabel(doc: Y.Doc, anchor: string, words: string, now: number, id: string = crypto.randomUUID()): Label {
  const label: Label = { id, anchor, text: labelText(words), createdAt: now };
  if (!isAnchor(anchor)) throw new EngineError('bad-path', 'label', 'a path, edge or node', JSON.stringify(anchor.slice(0, 200)));
  doc.transact(() => doc.getMap('labels').set(id, label), EDIT);
  return label;
}

/** False when the label is gone, which is no error: somebody else may just have removed it. */
export function editLabel(doc: Y.Doc, id: string, words: string): boolean {
  const label = labelText(words);
  const old: unknown = doc.getMap('labels').get(id);
  if (!is<Label>(old, LABEL)) return false;
  doc.transact(() => doc.getMap('labels').set(id, { ...old, text: label }), EDIT);
  return true;
}

export function removeLabel(doc: Y.Doc, id: string): void {
  doc.transact(() => doc.getMap('labels').delete(id), EDIT);
}

/** True for a path, suffix, edge or node, by the grammar alone. */
export function isAnchor(anchor: string): boolean {
  if (anchor.length > LIMITS.anchor) return false;
  try {
    if (anchor.includes('->')) parsePath(anchor);
    else parseNode(anchor);
    return true;
  } catch {
    return false;
  }
}

function labelText(words: string): string {
  const trimmed = words.trim();
  if (trimmed.length === 0 || trimmed.length > LIMITS.label) {
    throw new EngineError('bad-request', 'label', `1 to ${LIMITS.label} characters`, `${trimmed.length}`);
  }
  return trimmed;
}

/** By code unit, so that every replica lists records in the same order whatever its locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
