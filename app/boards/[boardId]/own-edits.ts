import type * as Y from 'yjs';
import {
  BOARD_MAPS,
  addLabel,
  editLabel,
  putGroupMember,
  putGroupRecord,
  readLabels,
  removeGroup,
  removeGroupMember,
  removeLabel,
  setSetup,
  setTitle,
} from '@/lib/board/board-doc.ts';
import type { Group, GroupMember, Label, Setup } from '@/lib/board/records.ts';

type MapName = (typeof BOARD_MAPS)[number];

/** What an edit left under one key of the board document; null where it removed it. */
export interface Change {
  map: MapName;
  key: string;
  value: unknown;
}

/** One edit of this person: a transaction. */
export interface OwnEdit {
  id: string;
  at: number;
  changes: Change[];
}

export function editOf(transaction: Y.Transaction, at: number): OwnEdit {
  const changes: Change[] = [];
  for (const map of BOARD_MAPS) {
    const type = transaction.doc.getMap(map);
    const keys = [...transaction.changed].find(([changed]) => Object.is(changed, type))?.[1] ?? [];
    for (const key of keys) if (key !== null) changes.push({ map, key, value: type.get(key) ?? null });
  }
  return { id: crypto.randomUUID(), at, changes };
}

/** The last word of several edits on each key. */
export function lastChanges(edits: readonly OwnEdit[]): Change[] {
  const last = new Map<string, Change>();
  for (const change of edits.flatMap(({ changes }) => changes)) {
    last.delete(`${change.map} ${change.key}`);
    last.set(`${change.map} ${change.key}`, change);
  }
  return [...last.values()];
}

/** Makes a change anew, as an edit like any other. Throws where its value is none that the board accepts. */
export function applyAgain(doc: Y.Doc, { map, key, value }: Change): void {
  if (map === 'labels') {
    const label = value as Label | null;
    if (label === null) removeLabel(doc, key);
    else if (readLabels(doc).records.some(({ id }) => id === key)) editLabel(doc, key, label.text);
    else addLabel(doc, label.anchor, label.text, label.createdAt, key);
  } else if (map === 'groups') {
    if (value === null) removeGroup(doc, key);
    else putGroupRecord(doc, value as Group);
  } else if (map === 'members') {
    if (value === null) removeGroupMember(doc, key);
    else putGroupMember(doc, value as GroupMember);
  } else if (key === 'setup') setSetup(doc, value as Setup);
  else if (key === 'title') setTitle(doc, String(value ?? ''));
}
