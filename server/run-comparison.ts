import { TERM_NUMBERS, type Answer, type TermNumber } from '../lib/engine/index.ts';

export interface Comparison {
  agrees: boolean;
  /** the largest |difference| found, in the units of the numbers compared */
  maxDifference: number;
}

/** Of the largest magnitude in its column. */
const TOLERANCE = 1e-4;
/** Counts of paths are left out, since a near tie moves them by a whole one. */
const COUNTS: ReadonlySet<TermNumber> = new Set(['n50', 'n90', 'n99', 'count']);
/** `value` first */
const COLUMNS = TERM_NUMBERS.filter((column) => !COUNTS.has(column));

/**
 * Compares two executions of the same request: every term that both list, the metric and the remainder. Which
 * of two equal terms is the last that `top` lets in may differ, so lists need not be the same; they must not be
 * disjoint, and what was resolved from the request must be equal.
 */
export function compareAnswers(stored: Answer, again: Answer): Comparison {
  const others = new Map(again.terms.map((term) => [term.name, term]));
  const common = stored.terms.flatMap((term) => {
    const other = others.get(term.name);
    return other ? [[term, other] as const] : [];
  });
  const columns = COLUMNS.map((column) => common.flatMap(([a, b]) => pairOf(a[column], b[column])));
  const defects = new Map((again.defects ?? []).map((defect) => [defect.name, defect]));
  const additivity = (stored.defects ?? []).flatMap(({ name, live, frozenScale }) => [
    ...pairOf(live, defects.get(name)?.live),
    ...pairOf(frozenScale, defects.get(name)?.frozenScale),
  ]);
  const whole = [
    ...pairOf(stored.metric, again.metric),
    ...pairOf(stored.counterfactualMetric, again.counterfactualMetric),
    ...pairOf(stored.remainder, again.remainder),
    ...pairOf(stored.joint?.value, again.joint?.value),
  ];
  // Logits beside logits: the metric and the remainder have the scale of the values.
  const results = [[...whole, ...(columns[0] ?? [])], ...columns.slice(1), additivity].map(differenceOf);
  const isDisjoint = common.length === 0 && (stored.terms.length > 0 || again.terms.length > 0);
  return {
    agrees: !isDisjoint && isSameQuestion(stored, again) && results.every(({ agrees }) => agrees),
    maxDifference: Math.max(...results.map(({ maxDifference }) => maxDifference)),
  };
}

type Pair = readonly [number, number];

function pairOf(a: number | null | undefined, b: number | null | undefined): Pair[] {
  return a == null || b == null ? [] : [[a, b]];
}

function differenceOf(pairs: readonly Pair[]): Comparison {
  let scale = 0;
  let maxDifference = 0;
  for (const [a, b] of pairs) {
    scale = Math.max(scale, Math.abs(a), Math.abs(b));
    maxDifference = Math.max(maxDifference, Math.abs(a - b));
  }
  return { agrees: maxDifference <= TOLERANCE * scale, maxDifference };
}

function isSameQuestion(a: Answer, b: Answer): boolean {
  return (
    a.model.hash === b.model.hash &&
    a.view === b.view &&
    a.position === b.position &&
    a.target === b.target &&
    a.foil === b.foil &&
    a.reference === b.reference &&
    a.tokens.join() === b.tokens.join() &&
    (a.counterfactualTokens ?? []).join() === (b.counterfactualTokens ?? []).join() &&
    examplesKey(a) === examplesKey(b)
  );
}

/** What each example of a prompt set came out as. */
function examplesKey({ examples = [] }: Answer): string {
  const parts = examples.map(({ tokens, counterfactualTokens, target, foil, donor }) => [
    tokens,
    counterfactualTokens,
    target,
    foil,
    donor,
  ]);
  return JSON.stringify(parts);
}
