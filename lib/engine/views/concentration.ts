import { visitBest } from '../best-first.ts';
import { EngineError } from '../errors.ts';
import { Expansion } from '../expansion.ts';
import type { Granularity, Term } from '../request.ts';
import { stageCount } from '../spec.ts';
import type { Asked, Outcome } from './view.ts';

/** Every path is evaluated up to this many; beyond it the search is best-first within a budget. */
const EXHAUSTIVE_PATHS = 2_000_000;
/** Fewer of neurons: a suffix has thousands of children, in all MLPs before it. */
const BUDGET_SUFFIXES: Record<Granularity, number> = { sublayer: 4_096, head: 4_096, neuron: 256 };
/** Directions kept at once, in bytes. */
const MEMORY = 192 * 1024 * 1024;

/**
 * How concentrated the frozen expansion is at a granularity [M23]: `sublayer` (a layer's heads together, MLPs whole),
 * `head`, or `neuron` (heads, and MLPs by neuron). One term, named by the granularity: `mass` = Σ|value| of all paths,
 * `count` of them, `n50`, `n90`, `n99` how many of the largest hold that share of it, `effective` = exp(entropy of
 * |value|/mass). `sum` is the signed sum of the same values and `error` how far it is from the metric [M11]. Beyond
 * 2,000,000 paths `search` is `budget`: the suffixes with the largest |total| are opened, all numbers of the term are of
 * the paths found, and the totals of the suffixes left closed are the `remainder`, a part of `sum` [M12]; the notes say so.
 * @throws EngineError `bad-request` for a `maxDegree` that leaves paths out
 */
export async function concentrationView(asked: Asked): Promise<Outcome> {
  const { model, question, metric, control, granularity, maxDegree } = asked;
  if (maxDegree !== null && maxDegree < stageCount(model.spec)) {
    throw new EngineError('bad-request', 'max-degree', 'none, since concentration is of all paths', `${maxDegree}`);
  }
  const run = await model.clean(question.tokens);
  const expansion = new Expansion(model, run, await model.direction(run, question), granularity);
  const { suffixes, paths } = expansion.counts();
  const sizes = new Sizes();
  if (paths <= EXHAUSTIVE_PATHS) {
    await expansion.visitAll(MEMORY, control, (values) => sizes.add(values));
    const sum = sizes.sum;
    return {
      terms: [sizes.term(granularity)],
      sum,
      error: Math.abs(sum - metric),
      search: 'exhaustive',
      largestUnopened: 0,
      opened: suffixes,
    };
  }
  const budget = Math.max(16, Math.min(BUDGET_SUFFIXES[granularity], Math.floor(MEMORY / (4 * expansion.size))));
  const found = await visitBest(expansion, budget, control, (values) => sizes.add(values));
  const term = sizes.term(granularity);
  const sum = sizes.sum + found.closedTotal;
  return {
    terms: [term],
    remainder: found.closedTotal,
    sum,
    error: Math.abs(sum - metric),
    search: 'budget',
    largestUnopened: found.largestClosed,
    opened: found.opened,
    notes: boundNotes(term, paths, found.closedMass, asked.single),
  };
}

/** What is a bound and what is not; the numbers of one run only where the answer is of one. */
function boundNotes({ count, mass }: Term, paths: number, closedMass: number, single: boolean): string[] {
  return [
    'mass and count are lower bounds on Σ|value| and on the number of all paths.',
    'n50, n90, n99 and effective are of the paths found alone and bound nothing.',
    ...(single ? [`The search, largest |total| first, found ${count} of ${paths.toPrecision(4)} paths.`] : []),
    ...(single ? [`With the |totals| of unopened suffixes Σ|value| is at least ${(mass! + closedMass).toPrecision(6)}.`] : []),
    'The remainder is the sum of the totals of unopened suffixes.',
  ];
}

/** |values| in float32, as they come, and the sum of the signed values. */
class Sizes {
  /** in the metric's unit */
  sum = 0;
  readonly #parts: Float32Array[] = [];

  add(values: Float32Array): void {
    this.sum = values.reduce((sum, value) => sum + value, this.sum);
    this.#parts.push(values.map(Math.abs));
  }

  term(name: string): Term {
    const sizes = this.#descending();
    const mass = sizes.reduce((sum, size) => sum + size, 0);
    const entropy = sizes.reduce((sum, size) => (size > 0 ? sum - (size / mass) * Math.log(size / mass) : sum), 0);
    const holding = (share: number) => {
      let held = 0;
      const last = sizes.findIndex((size) => (held += size) >= share * mass);
      return last < 0 ? sizes.length : last + 1;
    };
    return {
      name,
      n50: holding(0.5),
      n90: holding(0.9),
      n99: holding(0.99),
      effective: Math.exp(entropy),
      mass,
      count: sizes.length,
    };
  }

  #descending(): Float32Array {
    const sizes = new Float32Array(this.#parts.reduce((sum, { length }) => sum + length, 0));
    let filled = 0;
    for (const part of this.#parts) {
      sizes.set(part, filled);
      filled += part.length;
    }
    return sizes.sort().toReversed();
  }
}
