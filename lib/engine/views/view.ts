import type { Control, Model, Question } from '../model.ts';
import type { Answer, Reference, Term } from '../request.ts';

/** Name of the last term when all that was asked for is also done at once. */
export const TOGETHER = 'together';

/** What a view is given: a model, a question in tokens, and what the person asked for. */
export interface Asked {
  model: Model;
  question: Question;
  /** from the ordinary forward graph; the counterfactual's where there is one */
  metric: number;
  logits: Float32Array;
  top: number | null;
  maxDegree: number | null;
  paths: readonly string[];
  together: boolean;
  ablate: readonly string[];
  reference: Reference;
  untilMass: number | null;
  byToken: boolean;
  control: Control;
}

/** What a view gives back; the rest of an answer is the same for all. */
export type Outcome = Pick<Answer, 'terms'> &
  Partial<Pick<Answer, 'remainder' | 'sum' | 'error' | 'joint' | 'search' | 'largestUnopened' | 'opened' | 'reference'>> & {
    notes?: string[];
  };

/** An exact sum: listed terms, the rest added up from its own values, and how far both are from the metric. */
export function identity(terms: Term[], remainder: number, metric: number): Pick<Outcome, 'terms' | 'remainder' | 'sum' | 'error'> {
  const sum = sumOf(terms) + remainder;
  return { terms, remainder, sum, error: Math.abs(sum - metric) };
}

/** The `top` largest by |value| in their own order, and the sum of the others. */
export function largest(terms: readonly Term[], top: number | null): { terms: Term[]; remainder: number } {
  if (top === null || top >= terms.length) return { terms: [...terms], remainder: 0 };
  const ranked = terms.toSorted((a, b) => Math.abs(b.value!) - Math.abs(a.value!));
  const kept = new Set(ranked.slice(0, top));
  return { terms: terms.filter((term) => kept.has(term)), remainder: sumOf(ranked.slice(top)) };
}

export function sumOf(terms: readonly Term[]): number {
  return terms.reduce((sum, term) => sum + term.value!, 0);
}
