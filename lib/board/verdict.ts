import { isOfRun, ofRun, type Answer, type Term, type View } from '../engine/index.ts';
import { parsePredicate, type Predicate, type Quantity, type Terms } from './predicate.ts';
import type { VerdictValue } from './records.ts';

export interface Verdict {
  value: VerdictValue;
  /** the number that was compared; null when not tested */
  left: number | null;
  /** one sentence: which run gave the number, or why none did */
  why: string;
}

/** A number read off a run, or the reason why the run does not hold it. */
type Reading = { left: number; from: string } | { missing: string };

/** What a metric or error may differ by, relative to the larger, and still be called the same. */
const SAME = 1e-4;

/**
 * Decides a predicate from stored outputs alone, so that anybody with the runs comes to the same verdict.
 * The first run that holds what the predicate names is read. What no run holds is *not tested*, never a zero.
 */
export function verdictOf(predicate: Predicate | string, answers: readonly Answer[]): Verdict {
  const parsed = typeof predicate === 'string' ? parsePredicate(predicate) : predicate;
  const reading = read(parsed.quantity, answers);
  if ('missing' in reading) return { value: 'not tested', left: null, why: reading.missing };
  const { left, from } = reading;
  return { value: compare(left, parsed.comparison, parsed.right) ? 'holds' : 'fails', left, why: from };
}

function read(quantity: Quantity, answers: readonly Answer[]): Reading {
  if (answers.length === 0) return { missing: 'there is no run' };
  switch (quantity.kind) {
    case 'metric':
      return readMetric(answers);
    case 'error':
      return readError(answers);
    case 'effect':
      return firstThatHolds(answers, (answer) => readEffect(answer, quantity.names));
    case 'share':
    case 'mass':
      return firstThatHolds(answers, (answer) => readPart(quantity.kind, quantity.terms, answer));
  }
}

function firstThatHolds(answers: readonly Answer[], readOne: (answer: Answer) => Reading): Reading {
  const reasons = new Set<string>();
  for (const answer of answers) {
    const reading = readOne(answer);
    if ('left' in reading && Number.isFinite(reading.left)) return reading;
    reasons.add('missing' in reading ? reading.missing : `the ${answer.view} run gives no finite number`);
  }
  return { missing: [...reasons].join('; ') };
}

function readMetric(answers: readonly Answer[]): Reading {
  const ofWeights = answers.find((answer) => !isOfRun(answer));
  if (ofWeights) return { missing: `the ${ofWeights.view} run is of weights alone and has no metric` };
  const metrics = answers.map((answer) => ofRun(answer).metric);
  const [first = Number.NaN] = metrics;
  const scale = Math.max(...metrics.map(Math.abs));
  if (!metrics.every(Number.isFinite)) return { missing: 'a run has no finite metric' };
  if (metrics.some((metric) => Math.abs(metric - first) > SAME * scale)) return { missing: 'the runs have different metrics' };
  return { left: first, from: 'the metric of the runs' };
}

function readError(answers: readonly Answer[]): Reading {
  const errors = answers.map((answer) => answer.error).filter((error) => error !== undefined);
  if (errors.length === 0) return { missing: 'no run is an identity, so none has an error' };
  if (!errors.every(Number.isFinite)) return { missing: 'a run has no finite error' };
  return { left: Math.max(...errors), from: errors.length === 1 ? 'the error of the identity' : 'the largest error of the identities' };
}

/** Causal views that report the metric after the change; a path effect is the change itself. */
const GIVES_METRIC: ReadonlySet<View> = new Set(['ablate', 'edge-patch']);

function readEffect(answer: Answer, names: string[]): Reading {
  if (answer.view !== 'path-effect' && !GIVES_METRIC.has(answer.view)) {
    return { missing: `the ${answer.view} run is no causal test` };
  }
  const value = names.length === 1 ? valueOf(answer, names[0]!) : jointOf(answer, names);
  if (value === undefined) {
    return { missing: `the ${answer.view} run does not test ${names.join(' with ')}` };
  }
  const left = GIVES_METRIC.has(answer.view) ? value - ofRun(answer).metric : value;
  return { left, from: `the ${answer.view} run` };
}

function valueOf(answer: Answer, name: string): number | undefined {
  return answer.terms.find((term) => term.name === name)?.value ?? jointOf(answer, [name]);
}

function jointOf(answer: Answer, names: string[]): number | undefined {
  const { joint } = answer;
  const same = joint && joint.names.length === names.length && names.every((name) => joint.names.includes(name));
  return same ? joint.value : undefined;
}

function readPart(kind: 'share' | 'mass', terms: Terms, answer: Answer): Reading {
  if (answer.kind !== 'identity' || answer.view === 'logits')
    return { missing: `the terms of the ${answer.view} run are no parts of a sum` };
  if (answer.whole) return { missing: `the terms of the ${answer.view} run are parts of ${answer.whole.name}, not of the metric` };
  if (answer.view === 'flow' && (kind === 'mass' || terms.of === 'degree' || terms.names.length > 1)) {
    return { missing: 'the edges of the flow run have paths in common, so they do not add up' };
  }
  const part = terms.of === 'degree' ? partOfDegree(terms, answer) : partOfNames(terms.names, answer);
  if ('missing' in part) return part;
  if (kind === 'mass') return massOf(part.values, answer);
  const { metric } = ofRun(answer);
  if (metric === 0) return { missing: `the ${answer.view} run has metric 0, of which nothing is a share` };
  return { left: sum(part.values) / metric, from: `the ${answer.view} run` };
}

type Part = { values: number[] } | { missing: string };

function partOfNames(names: string[], answer: Answer): Part {
  const inside = names.find((name) => names.some((other) => name !== other && name.endsWith(`->${other}`)));
  if (inside) return { missing: `${inside} is already counted in another of the names` };
  const values: number[] = [];
  for (const name of names) {
    const value = answer.terms.find((term) => term.name === name)?.value;
    if (value === undefined) return { missing: `the ${answer.view} run does not list ${name}` };
    values.push(value);
  }
  return { values };
}

function partOfDegree({ comparison, degree }: Extract<Terms, { of: 'degree' }>, answer: Answer): Part {
  if (answer.view !== 'degrees' && answer.view !== 'paths') {
    return { missing: `the ${answer.view} run does not tell degrees apart` };
  }
  const wanted = (k: number) => compare(k, comparison, degree);
  const values: number[] = [];
  let highest = -1;
  for (const term of answer.terms) {
    if (term.degree === undefined || term.value === undefined) return { missing: `the ${answer.view} run has a term without degree` };
    highest = Math.max(highest, term.degree);
    if (wanted(term.degree)) values.push(term.value);
  }
  if (!isWhole(answer)) {
    if (answer.view === 'paths') return { missing: 'the paths run leaves paths unlisted, of which the degrees are unknown' };
    // The remainder of a spectrum is all degrees above the listed ones, wanted together or not at all.
    const first = wanted(highest + 1);
    if (first !== wanted(Number.MAX_SAFE_INTEGER) || (comparison === '=' && degree > highest)) {
      return { missing: `the degrees run lists degrees up to ${highest} alone` };
    }
    if (first) values.push(answer.remainder ?? 0);
  }
  if (values.length === 0) return { missing: `the ${answer.view} run has no term of degree ${comparison} ${degree}` };
  return { values };
}

function massOf(values: number[], answer: Answer): Reading {
  if (!isWhole(answer)) return { missing: `the ${answer.view} run leaves terms unlisted, so Σ|all| is unknown` };
  if (answer.view === 'suffixes') return { missing: 'the suffixes run lists totals that contain each other' };
  const all = sum(answer.terms.map(({ value = Number.NaN }: Term) => Math.abs(value)));
  if (all === 0) return { missing: `the ${answer.view} run has Σ|all| = 0` };
  return { left: sum(values.map(Math.abs)) / all, from: `the ${answer.view} run, whose terms are ${TERMS_OF[answer.view] ?? 'its own'}` };
}

const TERMS_OF: Partial<Record<Answer['view'], string>> = { degrees: 'degrees', paths: 'paths', direct: 'nodes' };

function isWhole(answer: Answer): boolean {
  return (answer.remainder ?? 0) === 0;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function compare(left: number, comparison: '<' | '<=' | '=' | '>=' | '>', right: number): boolean {
  switch (comparison) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '=':
      return left === right;
    case '>=':
      return left >= right;
    case '>':
      return left > right;
  }
}
