import { Draws } from '../engine/generators/draws.ts';

/**
 * How far people who labelled the same things agree: descriptive statistics of these labels, no number about the model.
 *
 *   Fleiss' kappa    Fleiss 1971, "Measuring nominal scale agreement among many raters", Psychological Bulletin 76:378
 *   Cohen's kappa    Cohen 1960, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20:37
 *   unequal numbers  every item weighs the same, as in Gwet 2014, "Handbook of Inter-Rater Reliability", ch. 2: an item's
 *                    agreement is that of its own pairs of ratings, a label's share is the mean of its shares of the items;
 *                    with as many ratings for each item these are Fleiss' own formulas. An item with fewer than two ratings
 *                    can neither agree nor disagree: it is left out of both, and counted
 *   one label        Fleiss' kappa of that label against all others taken together, which is his kappa of a category
 *   intervals        percentile bootstrap over items (Efron & Tibshirani 1993, ch. 13), 95%, seeded
 */

export interface Rating {
  item: number;
  rater: string;
  label: string;
}

/** Why there is no number, or no interval beside it. */
export type Why =
  /** no item has two ratings */
  | 'no-items'
  /** everybody used one and the same label: agreement by chance is certain, and kappa is 0/0 */
  | 'one-label'
  /** nobody used this label */
  | 'never-used'
  /** nobody used any other label */
  | 'always-used'
  /** one item cannot be drawn anew */
  | 'one-item'
  /** too many resamples have no value themselves */
  | 'unstable';

export interface Interval {
  low: number;
  high: number;
  /** resamples that had a value */
  resamples: number;
}

export type Estimate =
  | { value: number; interval: Interval; why: null }
  | { value: number; interval: null; why: Why }
  | { value: null; interval: null; why: Why };

export interface Agreement {
  /** items with at least two ratings, of which everything but pairs is computed */
  items: number;
  /** items with one rating, left out */
  singles: number;
  /** of these items */
  ratings: number;
  raters: number;
  /** the part of all pairs of ratings of an item that agree, averaged over items */
  observed: Estimate;
  fleiss: Estimate;
  /** in the order of the label set */
  labels: { label: string; share: number | null; ratings: number; kappa: Estimate }[];
  /** of every two raters, on the items that both have labelled */
  pairs: { raters: [string, string]; items: number; observed: Estimate; kappa: Estimate }[];
  /** by item: the part of its pairs of ratings that agree; null with fewer than two ratings */
  byItem: { item: number; ratings: number; agreement: number | null }[];
  resamples: number;
  seed: number;
}

export interface AgreementOptions {
  seed?: number;
  resamples?: number;
}

const RESAMPLES = 2000;
const SEED = 1;
const TAIL = 0.025;
/** Resamples from one step to the next. */
const STEP = 20;
/** Resamples that may lack a value before the interval of the rest would mislead. */
const LACKING = 0.05;

type Given = [labels: readonly string[], raters: readonly string[], ratings: readonly Rating[], options?: AgreementOptions];

/** `raters` and `labels` give the order of the answer. A label outside the set, or a second one by the same rater, throws. */
export function agreementOf(...given: Given): Agreement {
  const steps = agreementSteps(...given);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The same in small steps: thousands of labels take about a second, in which others may want to be heard. */
export function* agreementSteps(...[labels, raters, ratings, options = {}]: Given): Generator<void, Agreement> {
  const { seed = SEED, resamples = RESAMPLES } = options;
  const table = tabulate(labels, raters, ratings);
  const rated = table.filter(({ given }) => given.size >= 2);
  const rows = rated.map(({ counts }) => rowOf(counts));
  const statistics = (sample: Sample) => fleissOf(rows, labels.length, sample);
  const [fleiss = NaN, observed = NaN, ...kappas] = statistics(everyOne(rows.length));
  const samplesOf = drawing(seed, resamples);
  const intervals = yield* intervalsOf(rows.length, statistics, samplesOf);
  const pairs = yield* pairsOf(table, labels.length, raters, samplesOf);
  return {
    items: rated.length,
    singles: table.length - rated.length,
    ratings: rated.reduce((sum, { given }) => sum + given.size, 0),
    raters: raters.length,
    fleiss: estimate(fleiss, intervals[0], rows.length, 'one-label'),
    observed: estimate(observed, intervals[1], rows.length, 'one-label'),
    labels: labels.map((label, index) => {
      const share = rows.length === 0 ? null : mean(rows.map(({ shares }) => shares[index]!));
      const kappa = estimate(kappas[index] ?? NaN, intervals[index + 2], rows.length, share === 0 ? 'never-used' : 'always-used');
      return { label, share, ratings: rated.reduce((sum, { counts }) => sum + counts[index]!, 0), kappa };
    }),
    pairs,
    byItem: table.map(({ item, given, counts }) => ({
      item,
      ratings: given.size,
      agreement: given.size >= 2 ? rowOf(counts).agreement : null,
    })),
    resamples,
    seed,
  };
}

interface Rated {
  item: number;
  /** by rater: the place of the label in the set */
  given: Map<string, number>;
  /** by label */
  counts: number[];
}

/** Items in ascending order, each with what was said of it. */
function tabulate(labels: readonly string[], raters: readonly string[], ratings: readonly Rating[]): Rated[] {
  const places = new Map(labels.map((label, index) => [label, index]));
  const known = new Set(raters);
  const items = new Map<number, Rated>();
  for (const { item, rater, label } of ratings) {
    const place = places.get(label);
    const rated = items.get(item) ?? { item, given: new Map<string, number>(), counts: labels.map(() => 0) };
    if (place === undefined) throw new Error(`agreement: expected a label of the set, got ${JSON.stringify(label)}`);
    if (!known.has(rater)) throw new Error(`agreement: expected a rater of the list, got ${JSON.stringify(rater)}`);
    if (rated.given.has(rater)) throw new Error(`agreement: expected one label of ${rater} for item ${item}, got two`);
    rated.given.set(rater, place);
    rated.counts[place]! += 1;
    items.set(item, rated);
  }
  return [...items.values()].sort((a, b) => a.item - b.item);
}

interface Row {
  /** the part of the item's pairs of ratings that agree */
  agreement: number;
  /** by label: its part of the item's ratings */
  shares: number[];
  /** by label: the part of pairs that agree on whether it is this one */
  agreements: number[];
}

function rowOf(counts: readonly number[]): Row {
  const n = counts.reduce((sum, count) => sum + count, 0);
  const pairs = n * (n - 1);
  return {
    agreement: counts.reduce((sum, count) => sum + count * (count - 1), 0) / pairs,
    shares: counts.map((count) => count / n),
    agreements: counts.map((count) => 1 - (2 * count * (n - count)) / pairs),
  };
}

type Sample = ArrayLike<number>;
type SamplesOf = (items: number) => Generator<void, readonly Int32Array[]>;

/** Kappa, observed agreement and every label's kappa; NaN where one has no value. */
function fleissOf(rows: readonly Row[], labels: number, sample: Sample): number[] {
  const n = sample.length;
  const shares = new Float64Array(labels);
  const agreements = new Float64Array(labels);
  let agreement = 0;
  for (let draw = 0; draw < n; draw++) {
    const row = rows[sample[draw]!]!;
    agreement += row.agreement;
    for (let label = 0; label < labels; label++) {
      shares[label]! += row.shares[label]!;
      agreements[label]! += row.agreements[label]!;
    }
  }
  let chance = 0;
  const kappas: number[] = [];
  for (let label = 0; label < labels; label++) {
    const share = shares[label]! / n;
    chance += share * share;
    kappas.push(kappaOf(agreements[label]! / n, share * share + (1 - share) * (1 - share)));
  }
  return [kappaOf(agreement / n, chance), agreement / n, ...kappas];
}

function kappaOf(observed: number, chance: number): number {
  return chance >= 1 ? NaN : (observed - chance) / (1 - chance);
}

type Pairs = Agreement['pairs'];

function* pairsOf(table: readonly Rated[], labels: number, raters: readonly string[], samplesOf: SamplesOf): Generator<void, Pairs> {
  const pairs: Pairs = [];
  for (const [place, first] of raters.entries()) {
    for (const second of raters.slice(place + 1)) {
      const both = table.flatMap(({ given }) => {
        const [a, b] = [given.get(first), given.get(second)];
        return a === undefined || b === undefined ? [] : [a * labels + b];
      });
      const cells = Int32Array.from(both);
      const statistics = (sample: Sample) => cohenOf(cells, labels, sample);
      const [kappa = NaN, observed = NaN] = statistics(everyOne(both.length));
      const intervals = yield* intervalsOf(both.length, statistics, samplesOf);
      pairs.push({
        raters: [first, second],
        items: both.length,
        observed: estimate(observed, intervals[1], both.length, 'one-label'),
        kappa: estimate(kappa, intervals[0], both.length, 'one-label'),
      });
    }
  }
  return pairs;
}

/** Kappa and observed agreement of two raters, from the cell of each item in their square table; NaN where one has no value. */
function cohenOf(cells: Int32Array, labels: number, sample: Sample): number[] {
  const n = sample.length;
  const table = new Int32Array(labels * labels);
  for (let draw = 0; draw < n; draw++) table[cells[sample[draw]!]!]! += 1;
  let same = 0;
  let chance = 0;
  for (let label = 0; label < labels; label++) {
    let first = 0;
    let second = 0;
    for (let other = 0; other < labels; other++) {
      first += table[label * labels + other]!;
      second += table[other * labels + label]!;
    }
    same += table[label * labels + label]!;
    chance += first * second;
  }
  return [kappaOf(same / n, chance / (n * n)), same / n];
}

/** The items of every resample of so many. The same for all pairs with as many items, whoever else took part. */
function drawing(seed: number, resamples: number): SamplesOf {
  let last: { items: number; samples: readonly Int32Array[] } | null = null;
  return function* (items) {
    if (last?.items === items) return last.samples;
    const draws = new Draws(seed, items);
    const samples: Int32Array[] = [];
    for (let index = 0; index < resamples; index++) {
      samples.push(Int32Array.from({ length: items }, () => draws.below(items)));
      if (index % STEP === 0) yield;
    }
    last = { items, samples };
    return samples;
  };
}

/** An interval for every statistic, or why it has none. */
function* intervalsOf(
  items: number,
  statistics: (sample: Sample) => number[],
  samplesOf: SamplesOf,
): Generator<void, readonly (Interval | 'unstable')[]> {
  if (items < 2) return [];
  const samples = yield* samplesOf(items);
  const seen: number[][] = [];
  for (const [index, sample] of samples.entries()) {
    if (index % STEP === 0) yield;
    statistics(sample).forEach((value, which) => {
      const values = (seen[which] ??= []);
      if (!Number.isNaN(value)) values.push(value);
    });
  }
  return seen.map((values) => {
    if (values.length < (1 - LACKING) * samples.length) return 'unstable';
    const sorted = Float64Array.from(values).sort();
    return { low: quantile(sorted, TAIL), high: quantile(sorted, 1 - TAIL), resamples: values.length };
  });
}

function estimate(value: number, interval: Interval | 'unstable' | undefined, items: number, undefinedBecause: Why): Estimate {
  if (items === 0) return { value: null, interval: null, why: 'no-items' };
  if (Number.isNaN(value)) return { value: null, interval: null, why: undefinedBecause };
  if (interval === undefined) return { value, interval: null, why: 'one-item' };
  if (interval === 'unstable') return { value, interval: null, why: 'unstable' };
  return { value, interval, why: null };
}

/** Linear between order statistics, as most programs do by default. */
function quantile(sorted: Float64Array, part: number): number {
  const place = part * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below]!;
  return low + (place - below) * ((sorted[below + 1] ?? low) - low);
}

function everyOne(count: number): Sample {
  return Array.from({ length: count }, (_, index) => index);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
