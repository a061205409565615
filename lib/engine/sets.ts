import { groupBy } from './collections.ts';
import { EngineError } from './errors.ts';
import { TERM_NUMBERS, type Term, type TermNumber, type View } from './request.ts';
import { TOGETHER, keepLargest, largest, type Outcome } from './views/view.ts';

/**
 * Averages over a prompt set. Terms are matched by name. `value` is the mean, `spread` the standard deviation (n − 1),
 * `values` the example's own numbers; where a view's terms have no `value` these two are of the field in
 * {@link PRINCIPAL}. Every other number of a term is a mean as well, over the examples that have it where it may be
 * null. `compensation` is 1 − mean(real)/mean(frozen), a ratio of means: a mean of ratios would be decided by the
 * examples with the smallest frozen effect. `remainder`, `sum` and the metrics are means, `error` is the largest. Notes
 * say of how many prompts they hold, unless of all.
 */

/** Views whose terms are other ones for every prompt. */
const NOT_OF_SETS: ReadonlySet<View> = new Set(['paths', 'suffixes', 'units', 'virtual-head', 'features', 'feature-edges']);
/** Views of which `top` keeps the largest mean: each prompt is asked for all terms. */
const CUT_AFTER: ReadonlySet<View> = new Set(['logits', 'direct', 'degrees', 'flow', 'interactions', 'attribution', 'edge-patch']);
/** Terms × examples of which the single numbers are kept. */
const VALUES_LIMIT = 1_000_000;

/** Fields that belong to a set as a whole, or to weights. */
const NOT_AVERAGED: ReadonlySet<TermNumber> = new Set(['spread', 'lossModel', 'lossRandom', 'lossScrubbed', 'q', 'k', 'v']);
const AVERAGED = TERM_NUMBERS.filter((field) => !NOT_AVERAGED.has(field));

/** The field that `values` and `spread` are of, where it is not `value`. */
const PRINCIPAL: Partial<Record<View, TermNumber>> = {
  'naive-expansion': 'relativeError',
  concentration: 'effective',
  repair: 'compensation',
};

/**
 * @throws EngineError `unsupported` for views whose terms cannot be averaged by name, `bad-tokens` where positions
 * are averaged and prompts differ in length
 */
export function checkOfSet(view: View, lengths: readonly number[], withPatterns: boolean, byPosition: boolean): void {
  if (NOT_OF_SETS.has(view) || byPosition) {
    throw new EngineError(
      'unsupported',
      `${view}${byPosition ? ' by position' : ''} of a prompt set`,
      'a single prompt, since every prompt has its own terms',
      'a prompt set',
    );
  }
  const other = lengths.findIndex((length) => length !== lengths[0]);
  if (withPatterns && other >= 0) {
    const expected = `${lengths[0]} tokens, as many as the first, for a mean of patterns`;
    throw new EngineError('bad-tokens', `example ${other + 1}`, expected, `${lengths[other]}`);
  }
}

/** What each example is asked for when the mean is to list `top` terms. */
export function topOfExample(view: View, top: number | null): number | null {
  return CUT_AFTER.has(view) ? null : top;
}

/** Takes the outcome of one example after the other, so that the terms of all are not held at once. */
export class SetMean {
  readonly #terms = new Map<string, TermMean>();
  readonly #outcomes: Omit<Outcome, 'terms'>[] = [];
  readonly #principal: TermNumber;
  #keepsValues = true;

  constructor(
    readonly view: View,
    readonly examples: number,
    readonly top: number | null,
  ) {
    this.#principal = PRINCIPAL[view] ?? 'value';
  }

  add({ terms, ...outcome }: Outcome): void {
    const index = this.#outcomes.push(outcome) - 1;
    if (index === 0) this.#keepsValues = terms.length * this.examples <= VALUES_LIMIT;
    for (const term of terms) {
      let mean = this.#terms.get(term.name);
      if (!mean) {
        mean = new TermMean(term, this.#principal, this.#keepsValues ? this.examples : 0);
        this.#terms.set(term.name, mean);
      }
      mean.add(term, index);
    }
  }

  /** @param metric the mean metric, from which `edge-patch` measures what changed most */
  finish(metric: number): Outcome {
    const all = [...this.#terms.values()].map((mean) => mean.finish());
    const { terms, remainder } = this.#cut(all, metric);
    const [first] = this.#outcomes;
    const { reference, joint, defects } = first!;
    const totals = this.#numbers((outcome) => outcome.remainder);
    const sums = this.#numbers((outcome) => outcome.sum);
    const errors = this.#numbers((outcome) => outcome.error);
    return {
      terms,
      reference,
      ...(totals.length > 0 && { remainder: meanOf(totals) + remainder }),
      ...(sums.length > 0 && { sum: meanOf(sums) }),
      ...(errors.length > 0 && { error: Math.max(...errors) }),
      ...(joint && { joint: { names: joint.names, value: meanOf(this.#numbers((outcome) => outcome.joint?.value)) } }),
      ...(defects && { defects: this.#defects(defects) }),
      ...this.#search(),
      settings: { ...first!.settings, ...(this.#principal !== 'value' && { values: this.#principal }) },
      notes: this.#notes(),
    };
  }

  #numbers(of: (outcome: Omit<Outcome, 'terms'>) => number | undefined): number[] {
    return this.#outcomes.map(of).filter((value) => value !== undefined);
  }

  #cut(terms: Term[], metric: number): { terms: Term[]; remainder: number } {
    if (this.view === 'logits') {
      return { terms: terms.toSorted((a, b) => b.logit! - a.logit!).slice(0, this.top ?? terms.length), remainder: 0 };
    }
    if (this.view === 'edge-patch') return { terms: furthest(terms, metric, this.top), remainder: 0 };
    return CUT_AFTER.has(this.view) ? largest(terms, this.top) : { terms, remainder: 0 };
  }

  #defects(first: NonNullable<Outcome['defects']>): NonNullable<Outcome['defects']> {
    return first.map(({ name }, index) => {
      const meanOver = (field: 'live' | 'frozenScale') => {
        const own = this.#outcomes.flatMap(({ defects }) => defects![index]![field] ?? []);
        return own.length === 0 ? null : meanOf(own);
      };
      return { name, live: meanOver('live'), frozenScale: meanOver('frozenScale') };
    });
  }

  #search(): Pick<Outcome, 'search' | 'largestUnopened' | 'opened'> {
    if (this.#outcomes[0]!.search === undefined) return {};
    return {
      search: this.#outcomes.some(({ search }) => search === 'budget') ? 'budget' : 'exhaustive',
      largestUnopened: Math.max(...this.#numbers((outcome) => outcome.largestUnopened)),
      opened: this.#numbers((outcome) => outcome.opened).reduce((sum, opened) => sum + opened, 0),
    };
  }

  #notes(): string[] {
    const partial = [...this.#terms.values()].filter(({ taken }) => taken < this.examples).length;
    return [
      ...notesOfAll(this.#outcomes.map(({ notes = [] }) => notes)),
      ...(this.#keepsValues ? [] : [`The values of single prompts are left out: ${this.#terms.size} terms in ${this.examples} prompts.`]),
      ...(partial > 0 ? [`${partial} terms are not in every prompt; their means are over the prompts that have them.`] : []),
    ];
  }
}

/** The `top` edges whose patch moves the mean metric most, in their own order, and `together`. */
function furthest(terms: readonly Term[], metric: number, top: number | null): Term[] {
  const edges = terms.filter(({ name }) => name !== TOGETHER);
  const { kept } = keepLargest(edges, ({ value }) => Math.abs(value! - metric), top);
  return [...kept, ...terms.filter(({ name }) => name === TOGETHER)];
}

/** A number that is no part of a name. */
const NUMBER = /(?<![\w.])\d+(?:\.\d+)?(?:e[+-]?\d+)?/g;

/** Each note once, though its numbers may differ between prompts, and of how many prompts it holds where not of all. */
function notesOfAll(given: readonly (readonly string[])[]): string[] {
  const entries = given.flatMap((notes, prompt) => notes.map((note) => ({ note, prompt })));
  const groups = groupBy(entries, ({ note }) => note.replaceAll(NUMBER, '#'));
  return [...groups.values()].map((group) => {
    const { note } = group[0]!;
    const count = new Set(group.map(({ prompt }) => prompt)).size;
    const holds = `${count} of ${given.length} prompts`;
    if (group.some((other) => other.note !== note)) return `${holds}, with numbers of their own, as here: ${note}`;
    return count === given.length ? note : `${holds}: ${note}`;
  });
}

/** One term over the examples. */
class TermMean {
  taken = 0;
  readonly #moments = new Map<TermNumber, Moments>();
  readonly #values: (number | null)[];
  readonly #nullable = new Set<TermNumber>();
  #pattern: number[][] | null = null;

  /** @param kept examples of which the single values are kept */
  constructor(
    readonly first: Term,
    readonly principal: TermNumber,
    readonly kept: number,
  ) {
    this.#values = new Array<number | null>(kept).fill(null);
  }

  add(term: Term, index: number): void {
    this.taken += 1;
    for (const field of AVERAGED) {
      const value = term[field];
      if (value === undefined) continue;
      if (value === null) {
        this.#nullable.add(field);
        continue;
      }
      const moments = this.#moments.get(field) ?? new Moments();
      this.#moments.set(field, moments);
      moments.add(value);
      if (field === this.principal && this.kept > 0) this.#values[index] = value;
    }
    if (term.pattern) this.#addPattern(term.pattern);
  }

  finish(): Term {
    const { name, degree } = this.first;
    const term: Term = { name, ...(degree !== undefined && { degree }) };
    for (const field of AVERAGED) {
      const moments = this.#moments.get(field);
      if (moments) term[field] = moments.mean;
      else if (this.#nullable.has(field)) Object.assign(term, { [field]: null });
    }
    if (term.real !== undefined && term.frozen !== undefined) term.compensation = term.frozen === 0 ? null : 1 - term.real / term.frozen;
    const principal = this.#moments.get(this.principal);
    if (principal || this.#nullable.has(this.principal)) {
      if (this.kept > 0) term.values = this.#values;
      term.spread = principal?.deviation ?? null;
    }
    if (this.#pattern) term.pattern = this.#pattern.map((row) => row.map((weight) => weight / this.taken));
    return term;
  }

  #addPattern(pattern: readonly (readonly number[])[]): void {
    const sums = this.#pattern;
    this.#pattern = pattern.map((row, query) => row.map((weight, key) => weight + (sums?.[query]?.[key] ?? 0)));
  }
}

/** Mean and standard deviation (n − 1) of numbers that are seen once (Welford). */
class Moments {
  mean = 0;
  #count = 0;
  #squares = 0;

  add(value: number): void {
    this.#count += 1;
    const before = value - this.mean;
    this.mean += before / this.#count;
    this.#squares += before * (value - this.mean);
  }

  /** null for a single number */
  get deviation(): number | null {
    return this.#count < 2 ? null : Math.sqrt(this.#squares / (this.#count - 1));
  }
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
