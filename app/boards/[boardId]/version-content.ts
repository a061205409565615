import { groupsOf } from '@/lib/board/board-doc.ts';
import type { Group, Label, Setup } from '@/lib/board/records.ts';
import type { Content } from '@/lib/board/restore.ts';

/** What a board document says, as far as it can be read. */
export interface BoardState {
  title: string;
  setup: Partial<Setup>;
  /** oldest first */
  labels: Label[];
  /** mechanisms, oldest first */
  groups: Group[];
}

export interface Difference {
  kind: 'added' | 'removed' | 'changed';
  /** what it is about: `title`, a field of the setup, or where a label is */
  what: string;
  old: string | null;
  now: string | null;
}

export function stateOf({ meta = {}, labels = {}, groups = {}, members = {} }: Content): BoardState {
  const { title, setup } = meta;
  return {
    title: typeof title === 'string' ? title : '',
    setup: isRecord(setup) ? (setup as Partial<Setup>) : {},
    labels: Object.values(labels).filter(isLabel).sort(oldestFirst),
    groups: groupsOf(Object.entries(groups), Object.entries(members)).records,
  };
}

/** What a version has that the present has not, and the other way round. */
export function differencesOf(old: BoardState, now: BoardState): Difference[] {
  return [
    ...difference('title', old.title || null, now.title || null),
    ...SETUP_FIELDS.flatMap((name) => difference(name, textOf(old.setup[name]), textOf(now.setup[name]))),
    ...labelDifferences(old.labels, now.labels),
    ...groupDifferences(old.groups, now.groups),
  ];
}

export const SETUP_FIELDS = ['model', 'prompt', 'counterfactual', 'position', 'target', 'foil'] as const;

export function textOf(value: string | number | null | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}

function labelDifferences(old: readonly Label[], now: readonly Label[]): Difference[] {
  const current = new Map(now.map((label) => [label.id, label]));
  const before = new Set(old.map(({ id }) => id));
  return [
    ...old.flatMap((label) => difference(label.anchor, label.text, current.get(label.id)?.text ?? null)),
    ...now.filter(({ id }) => !before.has(id)).flatMap((label) => difference(label.anchor, null, label.text)),
  ];
}

function groupDifferences(old: readonly Group[], now: readonly Group[]): Difference[] {
  const said = new Map(now.map((group) => [group.id, textOfGroup(group)]));
  const before = new Set(old.map(({ id }) => id));
  return [
    ...old.flatMap((group) => difference(group.name, textOfGroup(group), said.get(group.id) ?? null)),
    ...now.filter(({ id }) => !before.has(id)).flatMap((group) => difference(group.name, null, textOfGroup(group))),
  ];
}

const textOfGroup = ({ name, members }: Group) => `${name}: ${members.join(', ')}`;

const oldestFirst = (a: Label, b: Label) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);

function difference(what: string, old: string | null, now: string | null): Difference[] {
  if (old === now) return [];
  return [{ kind: now === null ? 'added' : old === null ? 'removed' : 'changed', what, old, now }];
}

function isLabel(value: unknown): value is Label {
  return isRecord(value) && ['id', 'anchor', 'text'].every((name) => typeof value[name] === 'string');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
