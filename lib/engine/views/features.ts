import type { Dictionary } from '../dictionary.ts';
import { EngineError } from '../errors.ts';
import type { Split } from '../feature-maps.ts';
import { parseFeature, parseNode, printFeature, printNode, stageOf } from '../names.ts';
import type { Term } from '../request.ts';
import { slice } from '../runtime.ts';
import { directTerms } from './direct.ts';
import { checkApart, directPath, featureNumbers, onlyDictionary, placeOnPath, summaries, type FeaturePlace } from './feature-place.ts';
import { SCOPE, identity, keepLargest, sumOf, type Asked, type Outcome } from './view.ts';

const DEFAULT_TOP = 25;
const MOST_TOP = 1000;

/**
 * Features as nodes [D1]–[D3]. Without a path, direct logit attribution [M7] in which `f2.17`, …, `f2.b` and `f2.error`
 * stand for what a dictionary explains: the metric, exactly. With a path, its value split over the features of one
 * dictionary that it goes through. `top` features are listed, or those in `nodes`; bias and error always; the others are
 * the remainder. `activation` is a feature's largest over the tokens; with `byToken` also each token's.
 */
export async function featuresView(asked: Asked): Promise<Outcome> {
  const { paths, dictionaries } = asked;
  if (paths.length > 1) throw new EngineError('bad-request', 'paths', 'at most one path', `${paths.length}`);
  const outcome = paths.length === 1 ? await alongPath(asked, onlyDictionary(dictionaries), paths[0]!) : await direct(asked);
  return { ...outcome, dictionaries: summaries(dictionaries) };
}

async function alongPath(asked: Asked, dictionary: Dictionary, path: string): Promise<Outcome> {
  const { model, question } = asked;
  const run = await model.clean(question.tokens);
  const place = await placeOnPath(model, run, await model.direction(run, question), dictionary, path);
  const { terms, remainder } = await featureTerms(asked, place, place.named);
  const notes = [...(place.explained.share === 'carried' ? [] : [wholeNote(dictionary)]), ACTIVE_NOTE, SCOPE];
  return { ...identity(terms, remainder, place.whole.value), whole: place.whole, notes };
}

/** What a reader of features on a path must know [D2]. */
export const ACTIVE_NOTE = 'Which features are active is held at this run, as gates are [D2].';

export function wholeNote({ spec }: Dictionary): string {
  const what = spec.kind === 'residual' ? `the stream at ${spec.hook}` : `m${spec.layer} with its own bias m${spec.layer}.b`;
  return `The path begins at what the dictionary explains: the terms are parts of ${what}.`;
}

async function direct(asked: Asked): Promise<Outcome> {
  const { model, question, metric, dictionaries } = asked;
  if (dictionaries.length === 0) onlyDictionary(dictionaries);
  checkApart(dictionaries);
  const run = await model.clean(question.tokens);
  const direction = await model.direction(run, question);
  const isExplained = (name: string) =>
    dictionaries.some(({ spec }) => explains(spec, name, (node) => stageOf(parseNode(node), model.spec)));
  const terms = (await directTerms({ ...asked, top: null })).filter(({ name }) => !isExplained(name));
  let remainder = 0;
  for (const dictionary of dictionaries) {
    const place = await placeOnPath(model, run, direction, dictionary, directPath(dictionary));
    const own = await featureTerms(asked, place, (part) => part);
    terms.push(...own.terms);
    remainder += own.remainder;
  }
  return identity(terms, remainder, metric);
}

function explains({ kind, layer, stage }: Dictionary['spec'], name: string, stageOfNode: (name: string) => number): boolean {
  return kind === 'residual' ? stageOfNode(name) < stage : name === printNode({ kind: 'mlp', layer });
}

/** Listed features, bias and error of what a path goes through, and the sum of the other features. */
async function featureTerms(
  asked: Asked,
  place: FeaturePlace,
  named: (part: string) => string,
): Promise<{ terms: Term[]; remainder: number }> {
  const { nodes, byToken, dictionaries } = asked;
  const { features, explained, direction } = place;
  const { layer } = features.spec;
  const split = await features.split(explained, direction);
  const all = Array.from(split.totals.data, (value, feature) => ({ feature, value })).filter(({ value }) => value !== 0);
  const own = nodes.filter((name) => dictionaries.length === 1 || parseFeature(name).layer === layer);
  const wanted = nodes.length === 0 ? null : new Set(featureNumbers(own, parseFeature, features.dictionary, 'nodes'));
  const { kept, others } = wanted
    ? {
        kept: [...wanted].map((feature) => ({ feature, value: split.totals.data[feature]! })),
        others: all.filter(({ feature }) => !wanted.has(feature)),
      }
    : keepLargest(all, ({ value }) => Math.abs(value), topOf(asked));
  const sorted = kept.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const details = await features.details(
    explained,
    slice(direction, 0),
    sorted.map(({ feature }) => feature),
  );
  const terms = sorted.map(({ feature, value }, column): Term => {
    const activations = columnOf(details.activations, column);
    return {
      name: named(printFeature({ layer, part: feature })),
      value,
      activation: activations.reduce((most, one) => Math.max(most, one), 0),
      ...(byToken && { activations, byToken: columnOf(details.values, column) }),
    };
  });
  return { terms: [...terms, ...restTerms(split, layer, named, byToken)], remainder: sumOf(others) };
}

function topOf({ top }: Asked): number {
  if (top !== null && top > MOST_TOP) throw new EngineError('bad-request', 'top', `at most ${MOST_TOP} features`, `${top}`);
  return top ?? DEFAULT_TOP;
}

function restTerms({ biases, errors }: Split, layer: number, named: (part: string) => string, byToken: boolean): Term[] {
  const termOf = (part: 'b' | 'error', { data }: Split['errors']): Term => ({
    name: named(printFeature({ layer, part })),
    value: data.reduce((sum, value) => sum + value, 0),
    ...(byToken && { byToken: Array.from(data) }),
  });
  return [...(biases ? [termOf('b', biases)] : []), termOf('error', errors)];
}

/** One column of [S, K]. */
export function columnOf({ data, dims }: Split['errors'], column: number): number[] {
  const width = dims[1]!;
  return Array.from({ length: dims[0]! }, (_, row) => data[row * width + column]!);
}
