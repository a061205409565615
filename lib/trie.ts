import { degreeOf, parsePath, type Answer, type Term } from './engine/index.ts';

/** What the leaves below a node, or it alone, add up to. Every number is a sum of own values, never a subtraction [M12]. */
export interface Leaves {
  /** complete paths listed so far */
  paths: number;
  value: number;
  /** Σ|value| */
  mass: number;
  /** suffixes not opened yet */
  unopened: number;
  unopenedValue: number;
  unopenedMass: number;
}

export interface TrieNode {
  readonly name: string;
  readonly parent: TrieNode | null;
  /** logits: the sum of all paths that end in this suffix, or the path's own value */
  readonly value: number;
  /** a suffix that stands for several paths; false = one complete path from a source */
  readonly open: boolean;
  readonly degree: number;
  /** of its value, by the token at which its first node or source wrote; null while that is not known */
  readonly byToken: readonly number[] | null;
  /** of a suffix: by the token at which its first node reads, which is where its paths come from; null while not known */
  readonly reads: readonly number[] | null;
  /** largest |value| first; null = not opened */
  readonly children: readonly TrieNode[] | null;
  readonly leaves: Readonly<Leaves>;
}

type Draft = { -readonly [K in keyof TrieNode]: TrieNode[K] };

export const ROOT = 'logits';

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

export interface Partition {
  complete: { count: number; value: number };
  unopened: { count: number; value: number };
  /** |complete + unopened − metric| */
  error: number;
  /** Σ|complete| over Σ|complete and unopened|, 0…1 */
  massInPaths: number;
}

/**
 * The trie of suffixes [M12] as a reader has opened it so far: `logits` at the root, every opened suffix split exactly
 * into its children. At every moment its leaves partition the metric. It grows in place: opening one suffix costs its
 * children and the sums above it, however large the rest has become.
 */
export class Trie {
  readonly root: TrieNode;
  readonly #nodes = new Map<string, Draft>();

  constructor(readonly metric: number) {
    this.root = this.#add({ name: ROOT, value: metric, open: true, degree: 0 }, null);
  }

  get size(): number {
    return this.#nodes.size;
  }

  get(name: string): TrieNode | null {
    return this.#nodes.get(name) ?? null;
  }

  get partition(): Partition {
    const { paths, value, mass, unopened, unopenedValue, unopenedMass } = this.root.leaves;
    const whole = mass + unopenedMass;
    return {
      complete: { count: paths, value },
      unopened: { count: unopened, value: unopenedValue },
      error: Math.abs(value + unopenedValue - this.metric),
      massInPaths: whole === 0 ? 1 : mass / whole,
    };
  }

  /**
   * Adds the splits of a `suffixes` answer. Gives the suffixes that were not split before, in the answer's order.
   * @throws where the answer splits a suffix that is not listed yet
   */
  grow({ terms }: Pick<Answer, 'terms'>): TrieNode[] {
    const grown: Draft[] = [];
    for (const [name, group] of groupByParent(terms)) {
      const parent = this.#nodes.get(name);
      if (!parent) throw new Error(`suffixes: expected splits of what is listed, got one of ${JSON.stringify(name)}`);
      if (parent.children === null) grown.push(parent);
      parent.children = this.#split(group, parent);
      parent.reads = addedUp(group) ?? parent.reads;
    }
    for (const node of deepestFirst(grown)) node.leaves = sumOf(node.children!);
    return grown;
  }

  /** Keeps what a `suffixes` answer says token by token of what is listed, and opens nothing. */
  learn({ terms }: Pick<Answer, 'terms'>): void {
    for (const [name, group] of groupByParent(terms)) {
      const parent = this.#nodes.get(name);
      if (parent) parent.reads = addedUp(group) ?? parent.reads;
      for (const { name, byToken } of group) {
        const known = this.#nodes.get(name);
        if (known && byToken) known.byToken = byToken;
      }
    }
  }

  /** Suffixes of which it is not known from which tokens they or their own paths come, largest |value| first. */
  unlearned(count: number): TrieNode[] {
    const found: TrieNode[] = [];
    for (const node of this.#nodes.values()) {
      if (node.open && (node.reads === null || node.children?.some(isUnlearned))) found.push(node);
    }
    return found.sort(bySize).slice(0, count);
  }

  /** Suffixes that are not opened, largest |value| first. */
  largestUnopened(count: number): TrieNode[] {
    const found: TrieNode[] = [];
    const visit = (node: TrieNode): void => {
      if (node.leaves.unopened === 0) return;
      if (node.children) for (const child of node.children) visit(child);
      else if (found.length < count || bySize(node, found.at(-1)!) < 0) {
        found.splice(placeOf(node, found), 0, node);
        if (found.length > count) found.pop();
      }
    };
    visit(this.root);
    return found;
  }

  #split(terms: readonly Term[], parent: Draft): TrieNode[] {
    const children = terms.map((term) => {
      const known = this.#nodes.get(term.name);
      if (!known) return this.#add(term, parent);
      known.byToken = term.byToken ?? known.byToken;
      return known;
    });
    return children.sort(bySize);
  }

  #add(term: Term, parent: Draft | null): Draft {
    const value = term.value ?? Number.NaN;
    const open = term.open ?? false;
    const node: Draft = {
      name: term.name,
      parent,
      value,
      open,
      degree: term.degree ?? degreeOf(parsePath(term.name)),
      byToken: term.byToken ?? null,
      reads: null,
      children: null,
      leaves: leafOf(value, open),
    };
    this.#nodes.set(term.name, node);
    return node;
  }
}

/** From which tokens a path or suffix comes; null while not known. */
export function tokensOf({ open, reads, byToken }: TrieNode): readonly number[] | null {
  return open ? reads : byToken;
}

/** `logits.b` comes from no token. */
export const TOKENLESS = 'logits.b->logits';

function isUnlearned({ name, open, byToken }: TrieNode): boolean {
  return !open && byToken === null && name !== TOKENLESS;
}

/** Parts added up token by token; null where none is known. */
function addedUp(terms: readonly Term[]): number[] | null {
  const known = terms.flatMap(({ byToken }) => (byToken ? [byToken] : []));
  return known[0]?.map((_, token) => known.reduce((sum, values) => sum + values[token]!, 0)) ?? null;
}

function bySize(left: TrieNode, right: TrieNode): number {
  return Math.abs(right.value) - Math.abs(left.value);
}

function placeOf(node: TrieNode, sorted: readonly TrieNode[]): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (bySize(sorted[middle]!, node) <= 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

function leafOf(value: number, open: boolean): Leaves {
  const mass = Math.abs(value);
  return open
    ? { paths: 0, value: 0, mass: 0, unopened: 1, unopenedValue: value, unopenedMass: mass }
    : { paths: 1, value, mass, unopened: 0, unopenedValue: 0, unopenedMass: 0 };
}

function sumOf(nodes: readonly TrieNode[]): Leaves {
  const sum = { paths: 0, value: 0, mass: 0, unopened: 0, unopenedValue: 0, unopenedMass: 0 };
  for (const { leaves } of nodes) {
    sum.paths += leaves.paths;
    sum.value += leaves.value;
    sum.mass += leaves.mass;
    sum.unopened += leaves.unopened;
    sum.unopenedValue += leaves.unopenedValue;
    sum.unopenedMass += leaves.unopenedMass;
  }
  return sum;
}

/** These nodes and all above them, each once, so that what is summed has been summed itself. */
function deepestFirst(nodes: readonly Draft[]): Draft[] {
  const levels = new Map<TrieNode, number>();
  for (const node of nodes) {
    for (let at: TrieNode | null = node; at !== null && !levels.has(at); at = at.parent) levels.set(at, levelOf(at));
  }
  return [...levels].sort(([, left], [, right]) => right - left).map(([node]) => node as Draft);
}

function levelOf(node: TrieNode): number {
  let level = 0;
  for (let at = node.parent; at !== null; at = at.parent) level++;
  return level;
}

function groupByParent(terms: readonly Term[]): Map<string, Term[]> {
  const groups = new Map<string, Term[]>();
  for (const term of terms) {
    const parent = term.parent ?? parentOf(term.name);
    if (parent === null) continue;
    const group = groups.get(parent);
    if (group) group.push(term);
    else groups.set(parent, [term]);
  }
  // A suffix is listed by its own parent's split, which must be read first.
  return new Map([...groups].sort(([left], [right]) => left.split('->').length - right.split('->').length));
}
