import { Heap } from '../collections.ts';
import type { Control } from '../model.ts';
import type { Term } from '../request.ts';
import { stageCount } from '../spec.ts';
import { Trie, countSuffixes, openAll, pathDegree, pathName, type CompletePath, type Opened, type Suffix } from '../trie.ts';
import { identity, type Asked, type Outcome } from './view.ts';

/** Every suffix is opened up to this many; beyond it the search is best-first within a budget. */
export const EXHAUSTIVE_LIMIT = 50_000;
const BUDGET_SUFFIXES = 4_096;
/** Directions kept at once, in bytes. */
const MEMORY = 192 * 1024 * 1024;
const BATCH = 64;
const DEFAULT_TOP = 25;

/**
 * Complete paths from a source, largest first [M9]–[M12]. Listed paths + unlisted paths + unopened suffixes =
 * metric, each part added up from its own values.
 */
export async function pathsView(asked: Asked): Promise<Outcome> {
  const { model, question, control } = asked;
  const run = await model.clean(question.tokens);
  const trie = new Trie(model, run, await model.direction(run, question));
  const maxDegree = Math.min(asked.maxDegree ?? Infinity, stageCount(model.spec));
  const exhaustive = countSuffixes(model.spec, maxDegree) <= EXHAUSTIVE_LIMIT;
  const found = new Largest(asked.top ?? DEFAULT_TOP, maxDegree);
  const unopened = exhaustive
    ? await openEvery(trie, maxDegree, control, found)
    : await openBest(trie, { maxDegree, budget: budgetOf(trie), control, visit: (opened) => found.take(opened), enough: () => false });
  const terms = found.listed().map((path): Term => ({ name: pathName(path), degree: pathDegree(path), value: path.value }));
  return {
    ...identity(terms, found.unlisted + unopened.sum, asked.metric),
    search: exhaustive ? 'exhaustive' : 'budget',
    largestUnopened: unopened.largest,
    opened: found.opened,
  };
}

/** What a search left closed: Σ of the totals, and the largest |total|. */
export interface Unopened {
  sum: number;
  largest: number;
  suffixes: Suffix[];
}

export function budgetOf(trie: Trie): number {
  return Math.max(16, Math.min(BUDGET_SUFFIXES, Math.floor(MEMORY / (4 * trie.size))));
}

async function openEvery(trie: Trie, maxDegree: number, control: Control, found: Largest): Promise<Unopened> {
  let sum = 0;
  let largest = 0;
  await openAll(trie, maxDegree, MEMORY, control, (opened) => {
    found.take(opened);
    for (const { degree, total } of opened.suffixes) {
      if (degree <= maxDegree) continue;
      sum += total;
      largest = Math.max(largest, Math.abs(total));
    }
  });
  return { sum, largest, suffixes: [] };
}

export interface BestFirst {
  maxDegree: number;
  /** most suffixes to open */
  budget: number;
  control: Control;
  visit(opened: Opened): void;
  /** asked before each batch; true stops */
  enough(): boolean;
}

/** Opens the suffix with the largest |total| first, a batch at a time, from those already `opened` on. */
export async function openBest(trie: Trie, search: BestFirst, start?: Iterable<Suffix>): Promise<Unopened> {
  const { maxDegree, budget, control } = search;
  const queue = new Heap<Suffix>((a, b) => Math.abs(a.total) > Math.abs(b.total));
  const closed: Suffix[] = [];
  const wait = (suffix: Suffix) => (suffix.degree <= maxDegree ? queue.push(suffix) : closed.push(suffix));
  let opened = 0;
  const open = async (batch: Suffix[]) => {
    await control.checkpoint();
    for (const result of await trie.open(batch)) {
      search.visit(result);
      result.suffixes.forEach(wait);
      opened++;
    }
    control.progress(opened, budget, 'suffixes opened');
  };
  if (start) for (const suffix of start) wait(suffix);
  else await open([trie.root]);
  while (queue.size > 0 && opened < budget && !search.enough()) {
    const batch: Suffix[] = [];
    while (batch.length < Math.min(BATCH, Math.max(1, opened), budget - opened) && queue.size > 0) batch.push(queue.pop()!);
    await open(batch);
  }
  const suffixes = [...closed, ...queue.items];
  return {
    sum: suffixes.reduce((sum, { total }) => sum + total, 0),
    largest: suffixes.reduce((most, { total }) => Math.max(most, Math.abs(total)), 0),
    suffixes,
  };
}

/** Keeps the largest paths of at most `maxDegree` and adds up the others. */
class Largest {
  unlisted = 0;
  opened = 0;
  readonly #kept = new Heap<CompletePath>((a, b) => Math.abs(a.value) < Math.abs(b.value));

  constructor(
    readonly limit: number,
    readonly maxDegree: number,
  ) {}

  take({ paths }: Opened): void {
    this.opened++;
    for (const path of paths) {
      if (pathDegree(path) > this.maxDegree) {
        this.unlisted += path.value;
        continue;
      }
      this.#kept.push(path);
      if (this.#kept.size > this.limit) this.unlisted += this.#kept.pop()!.value;
    }
  }

  listed(): CompletePath[] {
    return this.#kept.items.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value));
  }
}
