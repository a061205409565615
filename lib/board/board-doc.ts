import type * as Y from 'yjs';
import { EngineError } from '../engine/index.ts';
import { groupBy } from '../engine/collections.ts';
import { ANCHOR_LIMIT, isModelAnchor, readAnchor } from './anchors.ts';
import { is, listOf, number, orNull, readRecords, text, whole, type Fields, type Read } from './fields.ts';
import { isEqual } from './json.ts';
import type { Group, GroupMember, Label, Setup } from './records.ts';

/**
 * The board document. Editors write it over the socket, so a reader here takes nothing for granted.
 * Its maps hold plain JSON values alone: the server refuses nested shared types.
 */

export const BOARD_MAPS = ['meta', 'labels', 'groups', 'members'] as const;
/** Origin of the edits below, for an undo manager to track. */
export const EDIT = 'pathboard:edit';

export const LIMITS = { title: 200, label: 200, anchor: ANCHOR_LIMIT, prompt: 100_000, name: 1000, groupName: 200, members: 1000 } as const;

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
  anchor: (value) => typeof value === 'string' && isLabelled(value),
  text: text(LIMITS.label),
  createdAt: number,
};

const GROUP: Fields<Group> = {
  id: text(40),
  name: text(LIMITS.groupName),
  members: listOf(isMember, LIMITS.members),
  createdAt: number,
};

const MEMBER: Fields<GroupMember> = { id: text(40), groupId: text(40), anchor: isMember, createdAt: number };

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
  return readRecords<Label>(doc.getMap('labels').entries(), LABEL, oldestFirst);
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
  if (!isLabelled(anchor))
    throw new EngineError('bad-path', 'label', 'a path, edge, node or mechanism', JSON.stringify(anchor.slice(0, 200)));
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

/** Mechanisms, oldest first. */
export function readGroups(doc: Y.Doc): Read<Group> {
  return groupsOf(doc.getMap('groups').entries(), doc.getMap('members').entries());
}

/** Mechanisms from the entries of both maps. */
export function groupsOf(groups: Iterable<[string, unknown]>, members: Iterable<[string, unknown]>): Read<Group> {
  const bare = readRecords<Group>(groups, GROUP, oldestFirst);
  const read = readRecords<GroupMember>(members, MEMBER, oldestFirst);
  const membersOf = groupBy(read.records, ({ groupId }) => groupId);
  const records = bare.records.map((group) => {
    const anchors = [...group.members, ...(membersOf.get(group.id) ?? []).map(({ anchor }) => anchor)];
    return { ...group, members: [...new Set(anchors)].slice(0, LIMITS.members) };
  });
  return { records, flaws: [...bare.flaws, ...read.flaws] };
}

/** Adds a mechanism, or makes the one with this id be so: only what differs is written. */
export function putGroup(doc: Y.Doc, group: Group): Group {
  const put: Group = { ...group, name: group.name.trim(), members: [...new Set(group.members)] };
  if (!is<Group>(put, GROUP)) {
    const expected = `a name of 1 to ${LIMITS.groupName} characters and up to ${LIMITS.members} paths, edges or nodes`;
    throw new EngineError('bad-request', 'mechanism', expected, JSON.stringify(put).slice(0, 200));
  }
  doc.transact(() => {
    putGroupRecord(doc, put);
    const there = membersIn(doc, put.id);
    for (const { id, anchor } of there) if (!put.members.includes(anchor)) doc.getMap('members').delete(id);
    const known = new Set(there.map(({ anchor }) => anchor));
    const now = Date.now();
    const missing = put.members.filter((anchor) => !known.has(anchor));
    for (const [index, anchor] of missing.entries()) {
      putGroupMember(doc, { id: crypto.randomUUID(), groupId: put.id, anchor, createdAt: now + index / 1000 });
    }
  }, EDIT);
  return put;
}

/** The mechanism's name alone; its members stay as they are. */
export function putGroupRecord(doc: Y.Doc, { id, name, createdAt }: Group): void {
  const record: Group = { id, name, members: [], createdAt };
  if (!is<Group>(record, GROUP))
    throw new EngineError('bad-request', 'mechanism', 'an id, a name and a time', JSON.stringify(record).slice(0, 200));
  if (!isEqual(doc.getMap('groups').get(id), record)) doc.transact(() => doc.getMap('groups').set(id, record), EDIT);
}

export function putGroupMember(doc: Y.Doc, member: GroupMember): void {
  if (!is<GroupMember>(member, MEMBER)) {
    throw new EngineError('bad-request', 'mechanism', 'a path, edge or node of a mechanism', JSON.stringify(member).slice(0, 200));
  }
  doc.transact(() => doc.getMap('members').set(member.id, member), EDIT);
}

export function removeGroupMember(doc: Y.Doc, id: string): void {
  doc.transact(() => doc.getMap('members').delete(id), EDIT);
}

export function removeGroup(doc: Y.Doc, id: string): void {
  doc.transact(() => {
    doc.getMap('groups').delete(id);
    for (const member of membersIn(doc, id)) doc.getMap('members').delete(member.id);
  }, EDIT);
}

function membersIn(doc: Y.Doc, groupId: string): GroupMember[] {
  const all = readRecords<GroupMember>(doc.getMap('members').entries(), MEMBER, oldestFirst).records;
  return all.filter((member) => member.groupId === groupId);
}

function isMember(value: unknown): boolean {
  return typeof value === 'string' && isModelAnchor(value);
}

/** Labels hang on objects of the model, features among them, and on mechanisms. */
function isLabelled(anchor: string): boolean {
  const kind = readAnchor(anchor)?.kind;
  return kind === 'model' || kind === 'feature' || kind === 'group';
}

function labelText(words: string): string {
  const trimmed = words.trim();
  if (trimmed.length === 0 || trimmed.length > LIMITS.label) {
    throw new EngineError('bad-request', 'label', `1 to ${LIMITS.label} characters`, `${trimmed.length}`);
  }
  return trimmed;
}

/** Ids by code unit, so that every replica lists records in the same order whatever its locale. */
function oldestFirst(a: { id: string; createdAt: number }, b: { id: string; createdAt: number }): number {
  return a.createdAt - b.createdAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
