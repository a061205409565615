import type { Dictionary } from '../dictionary.ts';
import type { Control, Model, Question } from '../model.ts';
import type { Answer, Granularity, Reference, Term } from '../request.ts';

/** What a reader of frozen paths must know. */
export const SCOPE =
  'Value paths of this run: attention patterns, norm scales and gates are held; influence through q and k is credited to nobody [M14].';

/** Name of the last term when all that was asked for is also done at once. */
export const TOGETHER = 'together';

/**
 * Where the outputs that replace the clean ones come from; views read it through `referenceSources` and
 * `referenceTokens`. Tokens are cropped to the position that is read, so they are as many as the question's.
 */
export type ReferenceSource =
  | { kind: 'zero' }
  /** tokens null = none was given */
  | { kind: 'counterfactual'; tokens: readonly number[] | null }
  /** one array for all prompts of a set that are read at the same position */
  | { kind: 'mean'; prompts: readonly (readonly number[])[] }
  /** `donor` is the drawn prompt's index in the reference set */
  | { kind: 'resample'; tokens: readonly number[]; donor: number };

/** One prompt, ready to be analysed. */
export interface AskedExample {
  question: Question;
  /** the whole prompt: the question's tokens, and those behind the position that is read */
  prompt: readonly number[];
  /** from the ordinary forward graph */
  metric: number;
  /** [V], at the last token */
  logits: Float32Array;
  references: ReferenceSource;
}

/** One prompt of a set. Logits of a whole set would be too much to hold. */
export type SetExample = Omit<AskedExample, 'logits'>;

/** What a person may ask of any view of a run. */
export interface Options {
  model: Model;
  top: number | null;
  maxDegree: number | null;
  paths: readonly string[];
  edges: readonly string[];
  /** every edge of the model, slots apart */
  allEdges: boolean;
  together: boolean;
  ablate: readonly string[];
  nodes: readonly string[];
  /** `head` unless asked otherwise */
  granularity: Granularity;
  /** null = the clean gradient alone */
  steps: number | null;
  /** 0 unless asked otherwise */
  seed: number;
  foldNorm: boolean;
  reference: Reference;
  untilMass: number | null;
  byToken: boolean;
  positions: boolean;
  /** opened, one a layer at most, in the order of their layers */
  dictionaries: readonly Dictionary[];
  /** false for a prompt of a set: what has no mean need not be computed */
  single: boolean;
  control: Control;
}

/** What a view of one prompt is given. */
export interface Asked extends Options, AskedExample {}

/** What a view of a whole prompt set is given; a single prompt is a set of one. */
export interface SetAsked extends Options {
  examples: readonly SetExample[];
}

/** What a view of weights alone is given. */
export type WeightsAsked = Pick<Options, 'model' | 'top' | 'nodes' | 'edges' | 'seed' | 'foldNorm' | 'dictionaries' | 'control'>;

type Given = 'remainder' | 'sum' | 'error' | 'joint' | 'search' | 'largestUnopened' | 'opened' | 'reference';
type GivenBySome = 'defects' | 'whole' | 'baseline' | 'examples' | 'settings' | 'extent' | 'through' | 'dictionaries';

/** What a view gives back; the rest of an answer is the same for all. */
export type Outcome = Pick<Answer, 'terms'> & Partial<Pick<Answer, Given | GivenBySome>> & { notes?: string[] };

export type RunView = (asked: Asked) => Promise<Outcome>;
export type SetView = (asked: SetAsked) => Promise<Outcome>;
export type WeightsView = (asked: WeightsAsked) => Promise<Outcome>;

/** An exact sum: listed terms, the rest added up from its own values, and how far both are from the metric. */
export function identity(terms: Term[], remainder: number, metric: number): Pick<Outcome, 'terms' | 'remainder' | 'sum' | 'error'> {
  const sum = sumOf(terms) + remainder;
  return { terms, remainder, sum, error: Math.abs(sum - metric) };
}

/** The `top` largest by |value| in their own order, and the sum of the others. */
export function largest(terms: readonly Term[], top: number | null): { terms: Term[]; remainder: number } {
  const { kept, others } = keepLargest(terms, ({ value }) => Math.abs(value!), top);
  return { terms: kept, remainder: sumOf(others) };
}

/** The `top` items of the largest size and the others, both in their own order; null keeps all. */
export function keepLargest<T>(items: readonly T[], sizeOf: (item: T) => number, top: number | null): { kept: T[]; others: T[] } {
  if (top === null || top >= items.length) return { kept: [...items], others: [] };
  const ranked = [...items.entries()].map(([index, item]) => ({ index, size: sizeOf(item) }));
  ranked.sort((a, b) => b.size - a.size);
  const chosen = new Set(ranked.slice(0, top).map(({ index }) => index));
  return { kept: items.filter((_, index) => chosen.has(index)), others: items.filter((_, index) => !chosen.has(index)) };
}

export function sumOf(terms: readonly Pick<Term, 'value'>[]): number {
  return terms.reduce((sum, term) => sum + term.value!, 0);
}
