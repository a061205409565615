import { isOfRun, ofRun, type Answer, type Term, type View } from '../engine/index.ts';
import { parsePredicate, type Predicate, type Quantity, type Terms, type Test } from './predicate.ts';
import type { VerdictValue } from './records.ts';

interface Outcome {
  value: VerdictValue;
  /** the number that was compared; null when not tested */
  left: number | null;
  /** one sentence: which run gave the number, or why none did */
  why: string;
}

/** As its deciding test: the first that fails, else the first that is not tested, else the first. */
export interface Verdict extends Outcome {
  tests: (Outcome & { test: Test })[];
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
  const tests = parsed.tests.map((test) => ({ test, ...outcomeOf(test, answers) }));
  const deciding = tests.find(({ value }) => value === 'fails') ?? tests.find(({ value }) => value === 'not tested') ?? tests[0]!;
  const { value, left, why } = deciding;
  return { value, left, why, tests };
}

function outcomeOf({ quantity, comparison, right }: Test, answers: readonly Answer[]): Outcome {
  const reading = read(quantity, answers);
  if ('missing' in reading) return { value: 'not tested', left: null, why: reading.missing };
  const { left, from } = reading;
  return { value: compare(left, comparison, right) ? 'holds' : 'fails', left, why: from };
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
    case 'magnitude':
      return firstThatHolds(answers, (answer) => mapped(readEffect(answer, quantity.names), Math.abs));
    case 'interaction':
    case 'redundancy':
      return firstThatHolds(answers, (answer) => readPair(answer, quantity.kind, quantity.pair));
    case 'quantile':
      return firstThatHolds(answers, (answer) => readQuantile(answer, quantity.name));
    case 'compensation':
      return firstThatHolds(answers, (answer) => readCompensation(answer, quantity.name));
    case 'recovered':
      return firstThatHolds(answers, readRecovered);
    case 'defect':
      return firstThatHolds(answers, (answer) => readDefect(answer, quantity.block));
    case 'naive':
      return firstThatHolds(answers, (answer) => readNaive(answer, quantity.degree));
    case 'loss':
      return firstThatHolds(answers, (answer) => readLoss(answer, quantity.comparison, quantity.degree));
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
const GIVES_METRIC: ReadonlySet<View> = new Set(['ablate', 'edge-patch', 'feature-ablate']);

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

/** From one run, so that both were tested against the same reference. */
function readPair(answer: Answer, kind: 'interaction' | 'redundancy', [first, second]: readonly [string, string]): Reading {
  const both = readEffect(answer, [first, second]);
  if ('missing' in both) return both;
  const alone = [readEffect(answer, [first]), readEffect(answer, [second])];
  let interaction = both.left;
  for (const reading of alone) {
    if ('missing' in reading) return reading;
    interaction -= reading.left;
  }
  if (kind === 'interaction') return { left: interaction, from: both.from };
  if (both.left === 0) return { missing: `both at once have no effect in the ${answer.view} run, of which nothing is a share` };
  return { left: interaction / both.left, from: both.from };
}

/** So few others say nothing about where a path stands among them. */
const BASELINE = 10;

function readQuantile(answer: Answer, name: string): Reading {
  if (answer.view !== 'path-effect') return { missing: `the ${answer.view} run has no effects of paths` };
  const own = answer.terms.find((term) => term.name === name);
  if (own?.value === undefined) return { missing: `the path-effect run does not test ${name}` };
  const others = answer.terms.filter((term) => term !== own && term.degree !== undefined);
  if (others.length < BASELINE) return { missing: `the path-effect run has ${others.length} other paths, at least ${BASELINE} are needed` };
  const stray = others.find((term) => term.degree !== own.degree);
  if (stray) return { missing: `the path-effect run compares with ${stray.name}, a path of another degree` };
  const size = Math.abs(own.value);
  const smaller = others.filter(({ value = Number.NaN }) => Math.abs(value) < size).length;
  return { left: smaller / others.length, from: `the path-effect run of ${others.length} other paths of degree ${own.degree}` };
}

function readCompensation(answer: Answer, name: string): Reading {
  if (answer.view !== 'repair') return { missing: `the ${answer.view} run does not tell self-repair` };
  const term = answer.terms.find((one) => one.name === name);
  if (!term) return { missing: `the repair run does not ablate ${name}` };
  if (term.compensation == null) return { missing: `ablating ${name} changes nothing with the rest frozen, so nothing can be made up for` };
  return { left: term.compensation, from: 'the repair run' };
}

function readRecovered(answer: Answer): Reading {
  if (answer.view !== 'scrub') return { missing: `the ${answer.view} run scrubs nothing` };
  const value = answer.terms.find((term) => term.name === 'mean')?.value;
  if (value === undefined) return { missing: 'model and donor lose the same in the scrub run, so no share can be recovered' };
  return { left: value, from: 'the scrub run' };
}

function readDefect(answer: Answer, block: string | null): Reading {
  const { defects } = answer;
  if (!defects || defects.length === 0) return { missing: `the ${answer.view} run has no additivity defects` };
  if (block === null) {
    const known = defects.flatMap(({ live }) => (live === null ? [] : [live]));
    if (known.length === 0) return { missing: 'every block writes the same whatever it reads' };
    return { left: Math.max(...known), from: `the largest of ${known.length} defects in the ${answer.view} run` };
  }
  const found = defects.find(({ name }) => name === block);
  if (!found) return { missing: `the ${answer.view} run has no defect of ${block}` };
  if (found.live === null) return { missing: `${block} writes the same whatever it reads` };
  return { left: found.live, from: `the ${answer.view} run` };
}

function readNaive(answer: Answer, degree: number): Reading {
  if (answer.view !== 'naive-expansion') return { missing: `the ${answer.view} run is no naive expansion` };
  const term = upTo(answer, degree, answer.settings?.['blocks']);
  if (term?.relativeError === undefined) return { missing: `the naive-expansion run does not go up to degree ${degree}` };
  return { left: term.relativeError, from: 'the naive-expansion run' };
}

function readLoss(answer: Answer, comparison: '<=' | '>', degree: number): Reading {
  if (answer.view !== 'orders') return { missing: `the ${answer.view} run does not tell losses by degree` };
  const highest = answer.settings?.['lastDegree'];
  const loss = upTo(answer, degree, highest)?.value;
  if (loss === undefined) return { missing: `the orders run does not go up to degree ${degree}` };
  if (comparison === '<=') return { left: loss, from: 'the orders run' };
  const last = answer.terms.at(-1);
  if (last?.value === undefined || last.degree !== highest) return { missing: 'the orders run leaves out its highest degrees' };
  return { left: loss - last.value, from: 'the orders run' };
}

/** The term of all degrees up to this one: beyond the highest that there is, the last. */
function upTo({ terms }: Answer, degree: number, highest: unknown): Term | undefined {
  const last = terms.at(-1);
  return last?.degree === highest && degree > (last?.degree ?? Infinity) ? last : terms.find((term) => term.degree === degree);
}

function mapped(reading: Reading, change: (left: number) => number): Reading {
  return 'missing' in reading ? reading : { ...reading, left: change(reading.left) };
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
