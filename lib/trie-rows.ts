import type { Trie, TrieNode } from './trie.ts';

/** A row of an opened trie: a path or suffix, or terms that are not shown one by one, with a sum of their own. */
export type TrieRow =
  | { kind: 'path'; node: TrieNode; level: number; place: number; siblings: number; expanded: boolean }
  | {
      kind: 'fold';
      parent: TrieNode;
      why: 'small' | 'filtered';
      count: number;
      value: number;
      level: number;
      place: number;
      siblings: number;
    };

export interface Disclosure {
  /** suffixes shown open */
  expanded: ReadonlySet<string>;
  /** suffixes whose smaller terms are shown too */
  unfolded: ReadonlySet<string>;
  /** which rows are asked for; what is above them stays, all else is added up. null = all */
  wanted: ((node: TrieNode) => boolean) | null;
}

/** Children shown before the fold. */
const SHOWN = 12;

export function isFolded({ children }: TrieNode): boolean {
  return children !== null && children.length > SHOWN + 1;
}

/** True where a fold hides the node unless its parent is unfolded. */
export function isBelowFold(node: TrieNode): boolean {
  const { parent } = node;
  return parent !== null && isFolded(parent) && parent.children!.indexOf(node) >= SHOWN;
}

/** Rows in reading order. */
export function trieRows(trie: Trie, disclosure: Disclosure): TrieRow[] {
  const rows: TrieRow[] = [];
  if (disclosure.wanted === null) pushNode(rows, trie.root, 1, 1, 1, disclosure);
  else pushWanted(rows, trie.root, 1, 1, 1, disclosure, disclosure.wanted, true);
  return rows;
}

/** The rows after one of them was opened, closed or unfolded: made anew below it alone. Not for filtered rows. */
export function changedBelow(rows: readonly TrieRow[], node: TrieNode, disclosure: Disclosure): TrieRow[] {
  const at = placeOf(rows, node);
  const row = rows[at];
  if (row?.kind !== 'path') return [...rows];
  let end = at + 1;
  while (end < rows.length && rows[end]!.level > row.level) end++;
  const below: TrieRow[] = [];
  pushNode(below, row.node, row.level, row.place, row.siblings, disclosure);
  // Arguments go on the stack, which has room for so many.
  return below.length < 10_000 ? rows.toSpliced(at, end - at, ...below) : rows.slice(0, at).concat(below, rows.slice(end));
}

/** −1 where the node has no row. */
export function placeOf(rows: readonly TrieRow[], node: TrieNode | null): number {
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!;
    if (row.kind === 'path' && row.node === node) return at;
  }
  return -1;
}

function pushNode(rows: TrieRow[], node: TrieNode, level: number, place: number, siblings: number, disclosure: Disclosure): void {
  const expanded = node.children !== null && disclosure.expanded.has(node.name);
  rows.push({ kind: 'path', node, level, place, siblings, expanded });
  if (!expanded) return;
  const folded = isFolded(node) && !disclosure.unfolded.has(node.name);
  const shown = folded ? node.children!.slice(0, SHOWN) : node.children!;
  const size = folded ? SHOWN + 1 : shown.length;
  for (let index = 0; index < shown.length; index++) pushNode(rows, shown[index]!, level + 1, index + 1, size, disclosure);
  if (folded) rows.push(foldOf(node, 'small', node.children!.slice(SHOWN), level + 1, size));
}

/** True where the node or anything below it is wanted; then it has its rows. */
function pushWanted(
  rows: TrieRow[],
  node: TrieNode,
  level: number,
  place: number,
  siblings: number,
  disclosure: Disclosure,
  wanted: (node: TrieNode) => boolean,
  always = false,
): boolean {
  const start = rows.length;
  const expanded = node.children !== null && disclosure.expanded.has(node.name);
  rows.push({ kind: 'path', node, level, place, siblings, expanded });
  let shown = 0;
  const hidden: TrieNode[] = [];
  if (expanded) {
    for (const child of node.children!) {
      if (pushWanted(rows, child, level + 1, shown + 1, 0, disclosure, wanted)) shown++;
      else hidden.push(child);
    }
  }
  if (shown === 0 && !always && !wanted(node)) {
    rows.length = start;
    return false;
  }
  if (hidden.length > 0) rows.push(foldOf(node, 'filtered', hidden, level + 1, shown + 1));
  const size = shown + Number(hidden.length > 0);
  for (let index = start + 1; index < rows.length; index++) if (rows[index]!.level === level + 1) rows[index]!.siblings = size;
  return true;
}

function foldOf(parent: TrieNode, why: 'small' | 'filtered', hidden: readonly TrieNode[], level: number, size: number): TrieRow {
  const value = hidden.reduce((sum, node) => sum + node.value, 0);
  return { kind: 'fold', parent, why, count: hidden.length, value, level, place: size, siblings: size };
}
