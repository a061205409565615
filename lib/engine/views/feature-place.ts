import type { Dictionary } from '../dictionary.ts';
import { EngineError } from '../errors.ts';
import { FeatureMaps, type Explained } from '../feature-maps.ts';
import type { Component, FrozenMaps } from '../frozen-maps.ts';
import type { CleanRun, Direction, Model } from '../model.ts';
import type { Outcome } from './view.ts';
import {
  checkPath,
  isComponent,
  parsePath,
  printFeature,
  printNode,
  printPath,
  stageOf,
  type FeatureNode,
  type Node,
  type Path,
} from '../names.ts';
import { slice, slices, tensor, type FloatTensor } from '../runtime.ts';
import { sourceRows } from '../spec.ts';
import { checkFrozen } from './suffixes.ts';

/** A path that goes through what a dictionary explains [D3]. */
export interface FeaturePlace {
  features: FeatureMaps;
  explained: Explained;
  /** what the rest of the path reads there, [1, S, d] */
  direction: FloatTensor;
  /** the path's value, or of a path that begins here, that of all that is explained */
  whole: { name: string; value: number };
  /** heads and MLPs of the path before it, the first one at its start */
  before: readonly Node[];
  /** the path with a part of what is explained in the place where it crosses it */
  named(part: string): string;
}

/** @throws EngineError `bad-request` unless exactly one dictionary is named */
export function onlyDictionary(dictionaries: readonly Dictionary[]): Dictionary {
  const [dictionary] = dictionaries;
  if (dictionary && dictionaries.length === 1) return dictionary;
  throw new EngineError('bad-request', 'dictionary', 'one dictionary', String(dictionaries.length));
}

/** All that a dictionary explains, as the final norm reads it: the path of its MLP, or its stream, to `logits`. */
export function directPath({ spec }: Dictionary): string {
  return spec.kind === 'residual' ? '' : `${printNode({ kind: 'mlp', layer: spec.layer })}->logits`;
}

/** Where a path crosses what the dictionary explains: of a residual one, before the node of this index. @throws EngineError where it does not */
export function crossingOf(path: Path, name: string, { spec }: Dictionary, model: Model): number {
  if (spec.kind === 'residual') {
    const index = path.findIndex(({ node }) => stageOf(node, model.spec) >= spec.stage);
    const [start] = path;
    if (index > 0 || isComponent(start!.node)) return index;
    throw new EngineError(
      'bad-path',
      `path ${JSON.stringify(name)}`,
      `one that crosses the stream at ${spec.hook}`,
      `its start ${printNode(start!.node)} behind it`,
    );
  }
  const wanted = printNode({ kind: 'mlp', layer: spec.layer });
  const index = path.findIndex(({ node }) => printNode(node) === wanted);
  if (index >= 0) return index;
  throw new EngineError(
    'bad-path',
    `path ${JSON.stringify(name)}`,
    `one through ${wanted}, whose output ${spec.hook} the dictionary explains`,
    'another',
  );
}

/** @param name a path or suffix, or '' for the stream of a residual dictionary as `logits` reads it */
export async function placeOnPath(
  model: Model,
  run: CleanRun,
  direction: Direction,
  dictionary: Dictionary,
  name: string,
  /** whether a path that starts at this MLP starts with its own bias as well */
  withOwnBias: (start: Node) => boolean = () => false,
): Promise<FeaturePlace> {
  const features = new FeatureMaps(model, run, dictionary);
  const { maps, spec } = features;
  const path = name === '' ? [] : parsePath(name);
  if (path.length > 0) {
    checkPath(path, model.spec);
    checkFrozen(path, name);
  }
  const at = path.length === 0 ? 0 : crossingOf(path, name, dictionary, model);
  const isNode = spec.kind !== 'residual';
  const rest = path.slice(isNode ? at + 1 : at);
  let pulled = maps.root(direction);
  for (const { node } of rest.toReversed()) if (isComponent(node)) pulled = await maps.pull(node, pulled);

  const before = path.slice(0, at).map(({ node }) => node);
  const printed = rest.length === 0 ? 'logits' : printPath(rest);
  const named = (part: string) => [printPath(path.slice(0, at)), part, printed].filter(Boolean).join('->');
  if (at === 0) {
    const explained = await features.whole();
    const totals = await maps.totals(pulled, tensor(explained.actual.data, [1, ...explained.actual.dims]));
    return { features, explained, direction: pulled, whole: { name: named(`f${spec.layer}`), value: totals.data[0]! }, before, named };
  }
  const [start, ...inner] = before;
  const source = await startOf(features, start!, withOwnBias(start!));
  let x = tensor(source.data, [1, ...source.dims]);
  for (const node of inner) x = await maps.push(node as Component, x);
  const behind = isNode ? await maps.pull(features.component(), pulled) : pulled;
  return {
    features,
    explained: await features.carried(slice(x, 0)),
    direction: pulled,
    whole: { name, value: await valueOf(maps, source, inner as Component[], behind) },
    before,
    named,
  };
}

/** The path's value from the direction behind some of its components, pulled through them to its start. */
async function valueOf(maps: FrozenMaps, source: FloatTensor, inner: readonly Component[], behind: FloatTensor): Promise<number> {
  let direction = behind;
  for (const node of inner.toReversed()) direction = await maps.pull(node, direction);
  return (await maps.totals(direction, tensor(source.data, [1, ...source.dims]))).data[0]!;
}

/** What a source writes, or a component without its own bias [M12] unless that is wanted, [S, d]. */
export async function startOf(features: FeatureMaps, node: Node, withOwnBias: boolean): Promise<FloatTensor> {
  const { sources } = features.run;
  const row = sourceRows(features.model.spec).get(printNode(node))!;
  // The row behind an `m{l}` is its own bias.
  return withOwnBias && node.kind === 'mlp' ? features.sum(slices(sources, row, 2)) : slice(sources, row);
}

/** The numbers of features named as `f2.17`, proven to be of the dictionary. */
export function featureNumbers(
  names: readonly string[],
  parse: (name: string) => FeatureNode,
  { spec }: Dictionary,
  where: string,
): number[] {
  return names.map((name) => {
    const feature = parse(name);
    const expected = `a feature of f${spec.layer}, from 0 to ${spec.width - 1}`;
    if (feature.layer !== spec.layer || typeof feature.part !== 'number' || feature.part >= spec.width) {
      throw new EngineError('bad-name', where, expected, printFeature(feature));
    }
    return feature.part;
  });
}

/** @throws EngineError where one dictionary explains what is within another's */
export function checkApart(dictionaries: readonly Dictionary[]): void {
  const streams = dictionaries.filter(({ spec }) => spec.kind === 'residual');
  const last = Math.max(...streams.map(({ spec }) => spec.stage));
  const inside = dictionaries.find(({ spec }) => streams.length > 0 && spec.stage < last);
  if (inside)
    throw new EngineError('bad-request', 'dictionary', 'places that do not contain each other', `${inside.name} within a later stream`);
}

export function summaries(dictionaries: readonly Dictionary[]): NonNullable<Outcome['dictionaries']> {
  return dictionaries.map(({ name, hash, spec }) => ({
    name,
    hash,
    kind: spec.kind,
    layer: spec.layer,
    hook: spec.hook,
    width: spec.width,
  }));
}
