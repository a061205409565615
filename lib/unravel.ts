import type { Answer, RunAnswer } from './engine/index.ts';
import { packOpen } from './trie-address.ts';
import { changedBelow, isBelowFold, trieRows, type TrieRow } from './trie-rows.ts';
import { ROOT, Trie, ancestorsOf, type Partition, type TrieNode } from './trie.ts';

export interface Filter {
  /** part of a name or of a label; empty = any */
  text: string;
  /** of |value / metric|; 0 = any */
  share: number;
  /** what people call a path */
  labelsOf: (name: string) => readonly string[];
}

export interface Unravelled {
  rows: readonly TrieRow[];
  partition: Partition;
  /** changes whenever the trie does */
  version: number;
}

/**
 * A trie as one person looks at it: what is open, what is filtered, and the rows that this makes. It changes in place,
 * and each change makes a new {@link Unravelled}, so that a screen of a hundred thousand rows follows at once.
 */
export class UnravelState {
  readonly trie: Trie;
  #expanded = new Set([ROOT]);
  #unfolded = new Set<string>();
  #filter: Filter | null = null;
  #seen: Unravelled;
  #listeners = new Set<() => void>();

  constructor(root: RunAnswer) {
    this.trie = new Trie(root.metric);
    this.trie.grow(root);
    this.#seen = { rows: trieRows(this.trie, this.#disclosure()), partition: this.trie.partition, version: 0 };
  }

  get seen(): Unravelled {
    return this.#seen;
  }

  /** For the address. */
  get open(): string {
    return packOpen(this.trie, this.#expanded, this.#unfolded);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Adds splits, and shows what they split. */
  grow(answer: Pick<Answer, 'terms'>): void {
    const grown = this.trie.grow(answer);
    for (const { name } of grown) this.#expanded.add(name);
    this.#changed(grown.length === 1 ? grown[0]!.name : null);
  }

  /** What each token adds, of what is listed. */
  learn(answer: Pick<Answer, 'terms'>): void {
    this.trie.learn(answer);
    this.#publish(this.#seen.rows);
  }

  toggle(name: string): void {
    if (!this.#expanded.delete(name)) this.#expanded.add(name);
    this.#changed(name);
  }

  unfold(parent: string): void {
    this.#unfolded.add(parent);
    this.#changed(parent);
  }

  /** Shows these open as far as they are split, and these without a fold. */
  expand(expanded: Iterable<string>, unfolded: Iterable<string>): void {
    for (const name of expanded) this.#expanded.add(name);
    for (const name of unfolded) this.#unfolded.add(name);
    this.#changed(null);
  }

  /** Makes a listed path visible. */
  reveal(path: string): void {
    const above = ancestorsOf(path);
    const node = this.trie.get(path);
    if (!node) return;
    const folds: string[] = [];
    for (let at: TrieNode | null = node; at?.parent; at = at.parent) {
      if (isBelowFold(at) && !this.#unfolded.has(at.parent.name)) folds.push(at.parent.name);
    }
    if (folds.length === 0 && above.every((name) => this.#expanded.has(name))) return;
    above.forEach((name) => this.#expanded.add(name));
    folds.forEach((name) => this.#unfolded.add(name));
    this.#changed(null);
  }

  filter(filter: Filter | null): void {
    if (filter === null && this.#filter === null) return;
    this.#filter = filter;
    this.#changed(null);
  }

  #disclosure() {
    const filter = this.#filter;
    return { expanded: this.#expanded, unfolded: this.#unfolded, wanted: filter && wantedBy(filter, this.trie.metric) };
  }

  /** `below`: the only node under which rows change; null = anywhere */
  #changed(below: string | null): void {
    const disclosure = this.#disclosure();
    const node = below !== null && this.#filter === null ? this.trie.get(below) : null;
    const rows = node ? changedBelow(this.#seen.rows, node, disclosure) : trieRows(this.trie, disclosure);
    this.#publish(rows);
  }

  #publish(rows: readonly TrieRow[]): void {
    this.#seen = { rows, partition: this.trie.partition, version: this.#seen.version + 1 };
    for (const listener of this.#listeners) listener();
  }
}

function wantedBy({ text, share, labelsOf }: Filter, metric: number): (node: TrieNode) => boolean {
  const wanted = text.trim().toLowerCase();
  const least = share * Math.abs(metric);
  return ({ name, value }) =>
    Math.abs(value) >= least &&
    (wanted === '' || name.toLowerCase().includes(wanted) || labelsOf(name).some((label) => label.toLowerCase().includes(wanted)));
}
