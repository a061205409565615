import { degreeOf, parsePath, type Answer, type Term } from './engine/index.ts';

/**
 * The trie of suffixes [M12] as a reader has opened it so far: `logits` at the root, every opened suffix split
 * exactly into its children. At every moment its leaves partition the metric: complete paths and unopened suffixes.
 */
export interface TrieNode {
  name: string;
  parent: string | null;
  /** logits: the sum of all paths that end in this suffix, or the path's own value */
  value: number;
  /** a suffix that stands for several paths; false = one complete path from a source */
  open: boolean;
  degree: number;
  byToken: readonly number[] | null;
  /** largest |value| first; null = not opened */
  children: readonly string[] | null;
}

export type Trie = ReadonlyMap<string, TrieNode>;

export const ROOT = 'logits';

export function emptyTrie(metric: number): Trie {
  return new Map([[ROOT, { name: ROOT, parent: null, value: metric, open: true, degree: 0, byToken: null, children: null }]]);
}

/** The suffix a path or suffix was split from: itself without its first stop. */
export function parentOf(name: string): string | null {
  const arrow = name.indexOf('->');
  return arrow < 0 ? null : name.slice(arrow + 2);
}

/** All suffixes from `logits` down to the parent of `name`: what must be opened for it to be listed. */
export function ancestorsOf(name: string): string[] {
  const ancestors: string[] = [];
  for (let parent = parentOf(name); parent !== null; parent = parentOf(parent)) ancestors.unshift(parent);
  return ancestors;
}

/** The trie with the splits of a `suffixes` answer added. */
export function growTrie(trie: Trie, answer: Answer): Trie {
  const nodes = new Map(trie);
  const groups = groupByParent(answer.terms);
  for (const term of answer.terms) nodes.set(term.name, nodeOf(term, nodes.get(term.name)));
  for (const parent of groups.keys()) addMissingSuffix(parent, nodes, groups);
  const deepestFirst = [...groups.keys()].sort((left, right) => right.split('->').length - left.split('->').length);
  for (const parent of deepestFirst) {
    const node = nodes.get(parent)!;
    const children = [...groups.get(parent)!];
    if (Number.isNaN(node.value)) node.value = sumOf(nodes, children);
    children.sort((left, right) => Math.abs(nodes.get(right)!.value) - Math.abs(nodes.get(left)!.value));
    nodes.set(parent, { ...nodes.get(parent)!, children });
  }
  return nodes;
}

function groupByParent(terms: readonly Term[]): Map<string, Set<string>> {
  const groups = new Map<string, Set<string>>();
  for (const term of terms) {
    const parent = term.parent ?? parentOf(term.name);
    if (parent === null) continue;
    const group = groups.get(parent);
    if (group) group.add(term.name);
    else groups.set(parent, new Set([term.name]));
  }
  return groups;
}

function nodeOf(term: Term, known: TrieNode | undefined): TrieNode {
  return {
    name: term.name,
    parent: term.parent ?? parentOf(term.name),
    value: term.value ?? Number.NaN,
    open: term.open ?? false,
    degree: term.degree ?? degreeOf(parsePath(term.name)),
    byToken: term.byToken ?? known?.byToken ?? null,
    children: known?.children ?? null,
  };
}

/** An answer may list only the leaves below an opened suffix; the suffix is then the sum of its children. */
function addMissingSuffix(name: string, nodes: Map<string, TrieNode>, groups: Map<string, Set<string>>): void {
  if (nodes.has(name)) return;
  const parent = parentOf(name);
  const degree = degreeOf(parsePath(name));
  nodes.set(name, { name, parent, value: Number.NaN, open: true, degree, byToken: null, children: null });
  if (parent === null) return;
  const group = groups.get(parent);
  if (group) group.add(name);
  else groups.set(parent, new Set([name]));
  addMissingSuffix(parent, nodes, groups);
}

function sumOf(nodes: ReadonlyMap<string, TrieNode>, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + nodes.get(name)!.value, 0);
}

export interface Partition {
  /** complete paths listed so far */
  complete: { count: number; value: number };
  /** suffixes not opened yet */
  unopened: { count: number; value: number };
  /** |complete + unopened − metric| */
  error: number;
}

/** What the leaves of the trie add up to. Each side is the sum of its own values, never a subtraction [M12]. */
export function partitionOf(trie: Trie, metric: number): Partition {
  const complete = { count: 0, value: 0 };
  const unopened = { count: 0, value: 0 };
  for (const node of trie.values()) {
    if (node.children !== null) continue;
    const side = node.open ? unopened : complete;
    side.count += 1;
    side.value += node.value;
  }
  return { complete, unopened, error: Math.abs(complete.value + unopened.value - metric) };
}

export type TrieRow =
  | { kind: 'path'; node: TrieNode; level: number; place: number; siblings: number; expanded: boolean }
  | { kind: 'fold'; parent: string; count: number; value: number; level: number; place: number; siblings: number };

export interface Disclosure {
  /** suffixes shown open */
  expanded: ReadonlySet<string>;
  /** suffixes whose smaller terms are shown too */
  unfolded: ReadonlySet<string>;
}

/** Children shown before the fold. */
const SHOWN = 12;

/** Rows in reading order. Below an opened suffix the smaller children are one row with their own sum. */
export function trieRows(trie: Trie, { expanded, unfolded }: Disclosure): TrieRow[] {
  const rows: TrieRow[] = [];
  const walk = (name: string, level: number, place: number, siblings: number): void => {
    const node = trie.get(name)!;
    const isExpanded = node.children !== null && expanded.has(name);
    rows.push({ kind: 'path', node, level, place, siblings, expanded: isExpanded });
    if (!isExpanded || node.children === null) return;
    const folded = node.children.length > SHOWN + 1 && !unfolded.has(name);
    const shown = folded ? node.children.slice(0, SHOWN) : node.children;
    const size = folded ? SHOWN + 1 : shown.length;
    shown.forEach((child, index) => walk(child, level + 1, index + 1, size));
    if (!folded) return;
    const rest = node.children.slice(SHOWN);
    rows.push({ kind: 'fold', parent: name, count: rest.length, value: sumOf(trie, rest), level: level + 1, place: size, siblings: size });
  };
  walk(ROOT, 1, 1, 1);
  return rows;
}

/** Every child above a fold stays there when a path below it is to be seen. */
export function isBelowFold(trie: Trie, name: string): boolean {
  const parent = trie.get(name)?.parent;
  const children = parent ? trie.get(parent)?.children : null;
  return children !== null && children !== undefined && children.length > SHOWN + 1 && children.indexOf(name) >= SHOWN;
}
