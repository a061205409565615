import { verdictOfClaim } from './board/opinion.ts';
import type { Evidence } from './board/records.ts';
import { verdictOf, type Verdict } from './board/verdict.ts';
import { isEngineError, type AnalyzeRequest, type Answer, type Kind } from './engine/index.ts';
import { sumOfMechanism } from './mechanism-sum.ts';
import { figuresOf, questionOf, type Snapshot } from './snapshot.ts';
import { numberKey, numbersOf, type Shown } from './verify-numbers.ts';
import { compareShown } from './verify-shown.ts';

/**
 * Recomputes what a published page claims. It knows no server and no browser: whoever calls it passes the engine in,
 * so that a reader's browser comes to the same report as the server.
 */

export type Mark = 'reproduced' | 'not-reproduced' | 'not-recomputed';

/** A number of the page beside the one that was computed anew. */
export interface NumberMark {
  /** as {@link numberKey} makes it */
  key: string;
  claimed: number | null;
  fresh: number | null;
  mark: Mark;
}

/** A figure, a run behind evidence, or a verdict. */
export interface PartReport {
  /** `paths`, `degrees`, `flow`, `heads`, `run:ID`, `group:ID`, `evidence:ID`, `claim:ID`, `page` */
  id: string;
  title: string;
  kind: Kind | null;
  mark: Mark;
  /** one sentence; null where everything is as claimed */
  why: string | null;
  /** the largest difference found, and what the number it was found in may differ by; null where there are no numbers */
  difference: number | null;
  tolerance: number | null;
  /** how many numbers were compared */
  compared: number;
  /** those that are not as claimed, then the others, at most {@link LISTED} */
  numbers: NumberMark[];
}

export interface Report {
  /** the worst of the parts */
  mark: Mark;
  parts: PartReport[];
  /** what the numbers were computed on; null where nothing could be */
  backend: Answer['backend'] | null;
  engineVersion: string | null;
}

export interface VerifyingEngine {
  models(): Promise<readonly { name: string; hash: string }[]>;
  analyze(request: AnalyzeRequest): Promise<Answer>;
}

export interface Progress {
  done: number;
  total: number;
  what: string;
}

/** Of the largest magnitude in its column of the fresh answer: what single precision leaves open between machines. */
export const RELATIVE_TOLERANCE = 1e-4;
/** Of what a predicate compared, which may be a quotient of such numbers. */
const DERIVED_TOLERANCE = 1e-3;
/** [M11] What an identity's error may be, of Σ|terms|. */
const ERROR_BOUND = 1e-5;
const LISTED = 2000;
const WORST: readonly Mark[] = ['not-reproduced', 'not-recomputed', 'reproduced'];

/** `shown`: the numbers that the page's HTML carries, to be compared with the snapshot's; see {@link shownNumbers}. Without it nothing is said of the HTML. */
export async function verifySnapshot(
  snapshot: Snapshot,
  engine: VerifyingEngine,
  { shown, onProgress }: { shown?: readonly Shown[]; onProgress?: (progress: Progress) => void } = {},
): Promise<Report> {
  const figures = figuresOf(snapshot);
  const runs = snapshot.runs.map((run) => ({ id: `run:${run.id}`, title: `Run ${run.id}`, request: run.request, answer: run.answer }));
  const asked = new Fresh(engine, await engine.models());
  const parts: PartReport[] = [];
  const mechanisms = snapshot.mechanisms ?? [];
  const total =
    figures.length + mechanisms.length + runs.length + snapshot.claims.reduce((count, { evidence }) => count + evidence.length + 1, 0);
  for (const part of [...figures, ...runs]) {
    onProgress?.({ done: parts.length, total, what: part.title });
    parts.push(comparePart(part, await asked.answer(part.request, part.answer)));
  }
  for (const { group, value, why } of mechanisms) {
    onProgress?.({ done: parts.length, total, what: group.name });
    const head = { id: `group:${group.id}`, title: group.name };
    const question = questionOf(snapshot.setup);
    parts.push(await compareMechanism(head, { members: group.members, value, why }, question, asked, snapshot.partition));
  }
  const byId = new Map(runs.map((run) => [run.id, run]));
  for (const { claim, evidence } of snapshot.claims) {
    const fresh: Tested[] = [];
    for (const item of evidence) {
      onProgress?.({ done: parts.length, total, what: item.predicate });
      const answers = await Promise.all(item.runIds.map((runId) => asked.answerOfRun(runId, byId.get(`run:${runId}`))));
      fresh.push(testAgain(item.predicate, answers));
      parts.push(compareVerdict(item, fresh.at(-1)!));
    }
    parts.push(compareClaim({ id: `claim:${claim.id}`, title: claim.text }, evidence, fresh));
  }
  sameModel(
    figures.map(({ id, answer }) => [id, answer] as const),
    parts,
  );
  if (shown && (snapshot.numbers === 2 || shown.length > 0)) parts.push(compareShown(shown, snapshot));
  onProgress?.({ done: total, total, what: '' });
  return { mark: worstOf(parts), parts, ...asked.environment };
}

type Answered = Answer | { missing: string };

/** Answers of the engine, each computed once. */
class Fresh {
  environment: Pick<Report, 'backend' | 'engineVersion'> = { backend: null, engineVersion: null };
  readonly #answers = new Map<string, Promise<Answered>>();

  constructor(
    readonly engine: VerifyingEngine,
    readonly models: readonly { name: string; hash: string }[],
  ) {}

  /** By the model of the claimed answer's hash, whatever it is called here. */
  answer(request: AnalyzeRequest, claimed: Answer): Promise<Answered> {
    const model = this.models.find(({ hash }) => hash === claimed.model.hash);
    if (!model) return Promise.resolve({ missing: this.#absent(claimed.model) });
    const key = JSON.stringify([model.hash, request]);
    const known = this.#answers.get(key) ?? this.#ask({ ...request, model: model.name });
    this.#answers.set(key, known);
    return known;
  }

  answerOfRun(id: string, run: { request: AnalyzeRequest; answer: Answer } | undefined): Promise<Answered> {
    return run ? this.answer(run.request, run.answer) : Promise.resolve({ missing: `the page does not hold run ${id}` });
  }

  async #ask(request: AnalyzeRequest): Promise<Answered> {
    try {
      const answer = await this.engine.analyze(request);
      this.environment = { backend: answer.backend, engineVersion: answer.engineVersion };
      return answer;
    } catch (error) {
      if (isEngineError(error) && error.code !== 'cancelled' && error.code !== 'runtime') return { missing: error.message };
      throw error;
    }
  }

  #absent({ name, hash }: Answer['model']): string {
    const other = this.models.find((model) => model.name === name);
    const here = other ? `; the one called ${name} here has hash ${short(other.hash)}` : '';
    return `no model with hash ${short(hash)} is installed${here}`;
  }
}

interface Claimed {
  id: string;
  title: string;
  answer: Answer;
}

function comparePart({ id, title, answer }: Claimed, fresh: Answered): PartReport {
  const head = { id, title, kind: answer.kind };
  if ('missing' in fresh) return { ...head, ...notRecomputed(fresh.missing), numbers: [] };
  const compared = compareNumbers(id, answer, fresh);
  const otherwise = differenceOfInputs(answer, fresh) ?? leftOut(answer, fresh);
  const why = otherwise ?? whyNumbers(compared.numbers);
  const mark: Mark = why === null ? 'reproduced' : otherwise === null && compared.onlyTies ? 'not-recomputed' : 'not-reproduced';
  return { ...head, mark, why, ...compared.largest, compared: compared.count, numbers: listed(compared.numbers) };
}

function notRecomputed(why: string): Pick<PartReport, 'mark' | 'why' | 'difference' | 'tolerance' | 'compared'> {
  return { mark: 'not-recomputed', why, difference: null, tolerance: null, compared: 0 };
}

/** What was asked must have come out as the same question about the same model. */
function differenceOfInputs(claimed: Answer, fresh: Answer): string | null {
  const fields: [string, (answer: Answer) => unknown][] = [
    ['view', ({ view }) => view],
    ['kind', ({ kind }) => kind],
    ['model hash', ({ model }) => model.hash],
    ['tokens', ({ tokens }) => tokens],
    ['counterfactual tokens', ({ counterfactualTokens }) => counterfactualTokens ?? null],
    ['position', ({ position }) => position],
    ['target', ({ target }) => target],
    ['foil', ({ foil }) => foil],
    ['reference', ({ reference }) => reference],
    [
      'examples',
      ({ examples = [] }) =>
        examples.map(({ tokens, counterfactualTokens, target, foil, donor }) => [tokens, counterfactualTokens, target, foil, donor]),
    ],
  ];
  for (const [name, read] of fields) {
    const [a, b] = [JSON.stringify(read(claimed)) ?? 'none', JSON.stringify(read(fresh)) ?? 'none'];
    if (a !== b) return `the page states ${name} ${cut(a)}, the fresh run has ${cut(b)}`;
  }
  return null;
}

/** A list must not leave out what is larger than its own smallest. */
function leftOut(claimed: Answer, fresh: Answer): string | null {
  const names = new Set(claimed.terms.map(({ name }) => name));
  const sizes = claimed.terms.flatMap(({ value }) => (value === undefined ? [] : [Math.abs(value)]));
  const smallest = Math.min(...sizes, Infinity);
  const tolerance = RELATIVE_TOLERANCE * largestOf(fresh.terms.map(({ value }) => value));
  const missing = fresh.terms.find(
    ({ name, value }) =>
      !names.has(name) && (value === undefined || fresh.terms.length > claimed.terms.length || Math.abs(value) > smallest + tolerance),
  );
  return missing ? `the page leaves out ${missing.name}` : null;
}

function whyNumbers(numbers: readonly NumberMark[]): string | null {
  const wrong = numbers.filter(({ mark }) => mark === 'not-reproduced');
  const open = numbers.filter(({ mark }) => mark === 'not-recomputed');
  const first = wrong[0] ?? open[0];
  if (!first) return null;
  const [, name = '', field = ''] = first.key.split('|');
  const told = `${name === '' ? field : `${name} (${field})`}: the page states ${first.claimed ?? 'nothing'}, the fresh run has ${first.fresh ?? 'nothing'}`;
  const others = wrong.length > 0 ? wrong.length - 1 : open.length - 1;
  return others > 0 ? `${told}; ${others} more` : told;
}

interface Numbers {
  numbers: NumberMark[];
  largest: Pick<PartReport, 'difference' | 'tolerance'>;
  count: number;
  /** what is missing could be a near tie at the end of a list, and nothing else is wrong */
  onlyTies: boolean;
}

function compareNumbers(id: string, claimed: Answer, fresh: Answer): Numbers {
  const there = new Map(numbersOf(fresh).map((number) => [`${number.name}|${number.field}`, number]));
  const scales = new Map<string, number>();
  for (const { column, value } of there.values()) scales.set(column, Math.max(scales.get(column) ?? 0, Math.abs(value ?? 0)));
  const names = new Set(fresh.terms.map(({ name }) => name));
  const smallest = Math.min(...fresh.terms.map(({ value }) => Math.abs(value ?? Infinity)), Infinity);
  let largest: Numbers['largest'] = { difference: null, tolerance: null };
  const numbers = numbersOf(claimed).map(({ name, field, column, value }): NumberMark => {
    const key = numberKey(id, name, field);
    const other = there.get(`${name}|${field}`);
    const tolerance = column === 'error' ? errorBound(fresh) : RELATIVE_TOLERANCE * (scales.get(column) ?? 0);
    if (!other) {
      const isTie = name !== '' && !names.has(name) && Math.abs(value ?? Infinity) <= smallest + tolerance;
      return { key, claimed: value, fresh: null, mark: isTie ? 'not-recomputed' : 'not-reproduced' };
    }
    const difference = value === null || other.value === null ? (value === other.value ? 0 : Infinity) : Math.abs(value - other.value);
    if (Number.isFinite(difference) && difference / (tolerance || 1) >= (largest.difference ?? -1) / (largest.tolerance || 1)) {
      largest = { difference, tolerance };
    }
    return { key, claimed: value, fresh: other.value, mark: difference <= tolerance ? 'reproduced' : 'not-reproduced' };
  });
  const wrong = numbers.filter(({ mark }) => mark !== 'reproduced');
  return { numbers, largest, count: numbers.length, onlyTies: wrong.every(({ mark }) => mark === 'not-recomputed') };
}

/** An error is no number that comes out the same twice: both must be small. */
function errorBound({ terms, metric }: Answer): number {
  const sum = terms.reduce((total, { value = 0 }) => total + Math.abs(value), 0);
  return ERROR_BOUND * Math.max(sum, Math.abs(metric ?? 0));
}

async function compareMechanism(
  { id, title }: Pick<Claimed, 'id' | 'title'>,
  claimed: { members: readonly string[]; value: number | null; why: string | null },
  question: Omit<AnalyzeRequest, 'view'>,
  asked: Fresh,
  partition: Answer,
): Promise<PartReport> {
  const head = { id, title, kind: 'identity' as const };
  let missing: string | null = null;
  let scale = 0;
  const fresh = await sumOfMechanism(claimed.members, question, async (request) => {
    const answer = await asked.answer(request, partition);
    if ('missing' in answer) missing = answer.missing;
    const terms = 'missing' in answer ? [] : answer.terms;
    scale = largestOf(terms.map(({ value }) => value));
    return 'missing' in answer ? { ...partition, terms: [] } : answer;
  });
  if (missing !== null) return { ...head, ...notRecomputed(missing), numbers: [] };
  const tolerance = RELATIVE_TOLERANCE * scale;
  const difference = claimed.value === null || fresh.value === null ? null : Math.abs(claimed.value - fresh.value);
  const isSame = difference === null ? claimed.value === fresh.value : difference <= tolerance;
  const mark: Mark = isSame ? 'reproduced' : 'not-reproduced';
  const why = isSame ? null : `the page states ${claimed.value ?? claimed.why}, the fresh run gives ${fresh.value ?? fresh.why}`;
  const number: NumberMark = { key: numberKey(id, '', 'value'), claimed: claimed.value, fresh: fresh.value, mark };
  return { ...head, mark, why, difference, tolerance: difference === null ? null : tolerance, compared: 1, numbers: [number] };
}

/** A predicate decided anew, and what an error in it may differ by. */
type Tested = { verdict: Verdict; errorBound: number } | { missing: string };

function testAgain(predicate: string, answers: readonly Answered[]): Tested {
  const missing = answers.find((answer) => 'missing' in answer);
  if (missing && 'missing' in missing) return missing;
  const fresh = answers as readonly Answer[];
  return { verdict: verdictOf(predicate, fresh), errorBound: largestOf(fresh.map(errorBound)) };
}

function compareVerdict({ id, predicate, verdict }: Pick<Evidence, 'id' | 'predicate' | 'verdict'>, tested: Tested): PartReport {
  const head = { id: `evidence:${id}`, title: predicate, kind: null };
  if ('missing' in tested) return { ...head, ...notRecomputed(tested.missing), numbers: [] };
  const fresh = tested.verdict;
  const tolerance = toleranceOf(fresh, tested.errorBound);
  const difference = verdict.left === null || fresh.left === null ? null : Math.abs(verdict.left - fresh.left);
  const isSame = difference === null ? verdict.left === fresh.left : difference <= tolerance;
  const whyLeft = isSame ? null : `the page states that ${verdict.left} was compared, the fresh run gives ${fresh.left}`;
  const why = verdict.value === fresh.value ? whyLeft : `the page states ${verdict.value}, the fresh run gives ${fresh.value}`;
  const mark: Mark = why === null ? 'reproduced' : 'not-reproduced';
  const number: NumberMark = { key: numberKey(head.id, '', 'left'), claimed: verdict.left, fresh: fresh.left, mark };
  return { ...head, mark, why, difference, tolerance, compared: 1, numbers: [number] };
}

/** By the test that decided, whose number is the one that stands in the verdict. */
function toleranceOf({ value, left, tests }: Verdict, bound: number): number {
  const deciding = tests.find((one) => one.value === value);
  return deciding?.test.quantity.kind === 'error' ? bound : DERIVED_TOLERANCE * Math.abs(left ?? 0);
}

/** What all evidence for a claim comes to. */
function compareClaim(head: Pick<PartReport, 'id' | 'title'>, evidence: readonly Evidence[], tested: readonly Tested[]): PartReport {
  const missing = tested.find((one) => 'missing' in one);
  if (missing && 'missing' in missing) return { ...head, kind: null, ...notRecomputed(missing.missing), numbers: [] };
  const claimed = verdictOfClaim(evidence);
  const fresh = verdictOfClaim(
    evidence.map((item, index) => {
      const again = tested[index];
      return again && 'verdict' in again ? { ...item, verdict: { ...item.verdict, value: again.verdict.value } } : item;
    }),
  );
  const why = claimed === fresh ? null : `the page states ${claimed}, the fresh runs give ${fresh}`;
  const mark: Mark = why === null ? 'reproduced' : 'not-reproduced';
  return { ...head, kind: null, mark, why, difference: null, tolerance: null, compared: 1, numbers: [] };
}

/** All figures of a page are about one model. */
function sameModel(figures: readonly (readonly [string, Answer])[], parts: PartReport[]): void {
  const counts = new Map<string, number>();
  for (const [, { model }] of figures) counts.set(model.hash, (counts.get(model.hash) ?? 0) + 1);
  const [usual] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? [];
  if (counts.size < 2 || usual === undefined) return;
  for (const [id, { model }] of figures) {
    const part = parts.find((one) => one.id === id);
    if (!part || model.hash === usual) continue;
    part.mark = 'not-reproduced';
    part.why = `the page states model hash ${short(model.hash)} here and ${short(usual)} elsewhere`;
  }
}

/** Single entries of patterns stand in no table. */
function listed(numbers: readonly NumberMark[]): NumberMark[] {
  const worth = numbers.filter(({ key, mark }) => mark !== 'reproduced' || !/\|query \d+ key \d+$/.test(key));
  return worth.toSorted((a, b) => WORST.indexOf(a.mark) - WORST.indexOf(b.mark)).slice(0, LISTED);
}

function worstOf(parts: readonly PartReport[]): Mark {
  return WORST.find((mark) => parts.some((part) => part.mark === mark)) ?? 'not-recomputed';
}

function largestOf(values: readonly (number | null | undefined)[]): number {
  return values.reduce<number>((most, value) => Math.max(most, Math.abs(value ?? 0)), 0);
}

function short(hash: string): string {
  return hash.length > 16 ? `${hash.slice(0, 16)}…` : hash;
}

function cut(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
