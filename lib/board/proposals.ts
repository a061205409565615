import { isOfRun, ofRun, type Answer, type Term } from '../engine/index.ts';
import { verdictOf } from './verdict.ts';

/**
 * Predicates that fit an answer and that it fulfils, the most telling one first: what a person may start from when they
 * attach it to a claim. `about` names the term that they look at, where it lists one.
 */
export function proposalsOf(answer: Answer, about: string | null = null): string[] {
  const proposed = new Set(candidates(answer, termOf(answer, about)));
  return [...proposed].filter((predicate) => verdictOf(predicate, [answer]).value === 'holds').slice(0, 6);
}

function candidates(answer: Answer, term: Term | null): string[] {
  switch (answer.view) {
    case 'degrees':
      return [...degreeShares(answer), 'error < 0.0001'];
    case 'paths':
    case 'suffixes':
    case 'direct':
    case 'flow':
      return [...(term ? partOf(term, answer) : []), ...(answer.view === 'paths' ? degreeShares(answer) : []), 'error < 0.0001'];
    case 'path-effect':
    case 'edge-patch':
    case 'ablate':
    case 'feature-ablate':
      return effects(answer, term);
    case 'repair':
      return term?.compensation == null ? [] : [atLeast(`compensation(${quote(term.name)})`, term.compensation)];
    case 'scrub':
      return answer.terms.flatMap(({ name, value }) => (name === 'mean' && value !== undefined ? [atLeast('recovered', value)] : []));
    case 'interactions':
      return [below('defect(max)', largestDefect(answer)), atLeast('defect(max)', largestDefect(answer)), 'error < 0.0001'];
    case 'naive-expansion':
      return answer.terms
        .toReversed()
        .flatMap(({ degree, relativeError = Number.NaN }) => [atLeast(`naive(degree <= ${degree})`, relativeError)]);
    case 'orders':
      return lossesBeyond(answer);
    default:
      return isOfRun(answer) ? [...(answer.error === undefined ? [] : ['error < 0.0001']), atLeast('metric', answer.metric)] : [];
  }
}

/** The one that is looked at, or the largest. */
function termOf({ terms }: Answer, about: string | null): Term | null {
  const size = ({ value, compensation }: Term) => Math.abs(value ?? compensation ?? 0);
  const named = terms.find(({ name }) => name === about);
  return named ?? terms.toSorted((a, b) => size(b) - size(a)).find(({ name }) => name !== 'together') ?? null;
}

function degreeShares(answer: Answer): string[] {
  const { metric } = ofRun(answer);
  const highest = answer.terms.reduce((most, { degree = 0 }) => Math.max(most, degree), 0);
  const upTo = (degree: number) => answer.terms.reduce((sum, term) => sum + ((term.degree ?? 0) <= degree ? term.value! : 0), 0);
  return Array.from({ length: highest + 1 }, (_, degree) => atLeast(`share(degree <= ${degree})`, upTo(degree) / metric));
}

function partOf({ name, value = 0 }: Term, answer: Answer): string[] {
  const share = value / ofRun(answer).metric;
  return [atLeast(`share(${quote(name)})`, share), atLeast(`mass(${quote(name)})`, 0.05)];
}

function effects(answer: Answer, term: Term | null): string[] {
  const { metric } = ofRun(answer);
  const effect = (value: number) => (answer.view === 'path-effect' ? value : value - metric);
  const say = (names: readonly string[], value: number) => {
    const half = rounded(effect(value) / 2, 1);
    return [
      `effect(${names.map(quote).join(', ')}) ${half < 0 ? '<' : '>'} ${half}`,
      `magnitude(${names.map(quote).join(', ')}) > ${Math.abs(half)}`,
    ];
  };
  const { joint } = answer;
  const pair = joint?.names.length === 2 ? [atLeast(`redundancy(${joint.names.map(quote).join(', ')})`, 0.5)] : [];
  return [...(joint ? say(joint.names, joint.value) : []), ...pair, ...(term?.value === undefined ? [] : say([term.name], term.value))];
}

function largestDefect({ defects = [] }: Answer): number {
  return Math.max(...defects.flatMap(({ live }) => (live === null ? [] : [live])));
}

function lossesBeyond({ terms }: Answer): string[] {
  const last = terms.at(-1)?.value ?? Number.NaN;
  return terms.slice(0, -1).map(({ degree, value = Number.NaN }) => {
    const beyond = value - last;
    return beyond < 0.05 ? below(`loss(degree > ${degree})`, beyond) : atLeast(`loss(degree > ${degree})`, beyond);
  });
}

const atLeast = (quantity: string, value: number) => `${quantity} >= ${rounded(value, 2, Math.floor)}`;
const below = (quantity: string, value: number) => `${quantity} < ${rounded(value, 2, (scaled) => Math.floor(scaled) + 1)}`;

/** To so many significant digits, in a direction. */
function rounded(value: number, digits: number, round: (value: number) => number = Math.round): number {
  if (value === 0 || !Number.isFinite(value)) return round === Math.round ? 0 : round(0);
  const scale = 10 ** (digits - 1 - Math.floor(Math.log10(Math.abs(value))));
  return Number((round(value * scale) / scale).toPrecision(digits + 1));
}

const quote = (name: string) => JSON.stringify(name);
