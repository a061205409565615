import type { RunAnswer } from '../engine/index.ts';
import type { TrieRow } from '../trie-rows.ts';
import type { Trie, TrieNode } from '../trie.ts';
import { barsFigure } from './bars.ts';
import type { Column } from './columns.ts';
import { formatCount, formatSigned } from './numbers.ts';

/** What an opened trie is called when it is taken away; the words are the interface's. */
export interface TrieWords {
  title: string;
  others: (count: string) => string;
  column: Record<'name' | 'kind' | 'level' | 'degree' | 'value' | 'share' | 'labels', string>;
  kinds: Record<'path' | 'opened' | 'suffix' | 'rest', string>;
}

/** A row of the table that is taken away: at full precision, in the order of the screen. */
export interface TakenRow {
  name: string;
  kind: string;
  level: number;
  degree: number | null;
  value: number;
  share: number;
  labels: string;
}

export function takenColumns(words: TrieWords['column']): Column<TakenRow>[] {
  return [
    { key: 'name', title: words.name, unit: null, read: (row) => row.name },
    { key: 'kind', title: words.kind, unit: null, read: (row) => row.kind },
    { key: 'level', title: words.level, unit: null, read: (row) => row.level },
    { key: 'degree', title: words.degree, unit: null, read: (row) => row.degree },
    { key: 'value', title: words.value, unit: 'logits', format: formatSigned, read: (row) => row.value },
    { key: 'share', title: words.share, unit: null, read: (row) => row.share },
    { key: 'labels', title: words.labels, unit: null, read: (row) => row.labels },
  ];
}

type LabelsOf = (name: string) => readonly string[];

/** The rows as they are on the screen. */
export function takenRows(rows: readonly TrieRow[], metric: number, words: TrieWords, labelsOf: LabelsOf): TakenRow[] {
  return rows.map((row) => {
    if (row.kind === 'path') return takenNode(row.node, row.level - 1, metric, words, labelsOf);
    const name = `${words.others(formatCount(row.count))} ->${row.parent.name}`;
    const { level, value } = row;
    return { name, kind: words.kinds.rest, level: level - 1, degree: null, value, share: value / metric, labels: '' };
  });
}

/** Every node that was ever opened, shown or not. */
export function takenTrie(trie: Trie, words: TrieWords, labelsOf: LabelsOf): TakenRow[] {
  const rows: TakenRow[] = [];
  const visit = (node: TrieNode, level: number): void => {
    rows.push(takenNode(node, level, trie.metric, words, labelsOf));
    for (const child of node.children ?? []) visit(child, level + 1);
  };
  visit(trie.root, 0);
  return rows;
}

function takenNode(node: TrieNode, level: number, metric: number, { kinds }: TrieWords, labelsOf: LabelsOf): TakenRow {
  const { name, degree, value, open, children } = node;
  const kind = !open ? kinds.path : children === null ? kinds.suffix : kinds.opened;
  return { name, kind, level, degree, value, share: value / metric, labels: labelsOf(name).join(', ') };
}

const DRAWN = 24;

/** The largest complete paths and unopened suffixes as bars, and all others as one more: together the metric. */
export function unravelFigure(trie: Trie, { foil }: RunAnswer, words: TrieWords): string {
  const leaves: TrieNode[] = [];
  const visit = (node: TrieNode): void => {
    if (node.children === null) leaves.push(node);
    else for (const child of node.children) visit(child);
  };
  visit(trie.root);
  leaves.sort((left, right) => Math.abs(right.value) - Math.abs(left.value));
  const others = leaves.slice(DRAWN);
  const rest = others.length === 0 ? null : { name: words.others(formatCount(others.length)), value: sumOf(others) };
  const axis = `${foil === null ? 'logit' : 'logit difference'} (logits)`;
  return barsFigure({ id: 'unravel-figure', title: words.title, axis, bars: leaves.slice(0, DRAWN), rest });
}

function sumOf(nodes: readonly TrieNode[]): number {
  return nodes.reduce((sum, { value }) => sum + value, 0);
}
