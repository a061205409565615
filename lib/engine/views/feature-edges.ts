import type { Dictionary } from '../dictionary.ts';
import { EngineError } from '../errors.ts';
import { FeatureMaps, type Explained, type Split } from '../feature-maps.ts';
import type { Component } from '../frozen-maps.ts';
import { virtualWeightsGraph } from '../graphs/features.ts';
import type { CleanRun, Model } from '../model.ts';
import { isComponent, parseFeaturePlace, printFeature, printNode, stageOf, type FeatureNode, type Node } from '../names.ts';
import type { Term } from '../request.ts';
import { slice, tensor, type FloatTensor } from '../runtime.ts';
import { streamSources } from '../spec.ts';
import { checkApart, directPath, featureNumbers, onlyDictionary, placeOnPath, startOf, summaries } from './feature-place.ts';
import { ACTIVE_NOTE, columnOf } from './features.ts';
import { SCOPE, identity, keepLargest, sumOf, type Asked, type Outcome } from './view.ts';

/** Features whose edges are made where none are named, and the most that may be. */
const DEFAULT_READERS = 8;
const MOST_READERS = 64;
const DEFAULT_TOP = 100;

/** The features whose reading is taken apart, K of them. */
interface Readers {
  features: FeatureMaps;
  numbers: number[];
  names: string[];
  /** [S, K], what a unit of pre-activation counts at each token */
  weights: FloatTensor;
  /** what the edges of each sum to */
  wholes: number[];
  /** the path's nodes before the dictionary's place; empty where everything earlier is read */
  before: readonly Node[];
}

interface Edge {
  from: string;
  /** index among the readers */
  reader: number;
  value: number;
  /** where it comes straight from a feature */
  writer: { features: FeatureMaps; number: number } | null;
}

/**
 * What features read [D4]. Of features at tokens (`f2.17@5`): exact parts of their pre-activations. Of features along a path:
 * the same parts, times what a unit of pre-activation adds to the metric there, so that they sum to what the features are
 * worth on the path. Writers are all earlier nodes where the path begins at the dictionary's place, else what the path brings
 * there; what another dictionary explains is split over its features. Values are those of frozen maps, no causes.
 */
export async function featureEdgesView(asked: Asked): Promise<Outcome> {
  const { model, question, nodes, paths, dictionaries, top } = asked;
  if (paths.length > 1) throw new EngineError('bad-request', 'paths', 'at most one path', `${paths.length}`);
  if (nodes.length > MOST_READERS) throw new EngineError('bad-request', 'nodes', `at most ${MOST_READERS} features`, `${nodes.length}`);
  const run = await model.clean(question.tokens);
  const reading = readingDictionary(asked);
  const writing = dictionaries.filter((one) => one !== reading);
  const places = nodes.map(parseFeaturePlace);
  const atTokens = places.some(({ position }) => position !== null);
  const readers = atTokens ? await readersAtTokens(asked, run, reading) : await readersOnPath(asked, run, reading, writing);
  const edges = readers.before.length === 0 ? await edgesFromAll(readers, writing) : await edgesOnPath(readers, writing);
  const { kept, others } = keepLargest(edges, ({ value }) => Math.abs(value), top ?? DEFAULT_TOP);
  const weights = await virtualWeights(model, readers, kept);
  const terms = kept
    .map(({ from, reader, value }, index): { reader: number; term: Term } => {
      const weight = weights[index];
      return { reader, term: { name: `${from}->${readers.names[reader]}`, value, ...(weight != null && { weight }) } };
    })
    .toSorted((a, b) => a.reader - b.reader || Math.abs(b.term.value!) - Math.abs(a.term.value!))
    .map(({ term }) => term);
  const whole = readers.wholes.reduce((sum, value) => sum + value, 0);
  const named = `${readers.names.slice(0, 3).join(', ')}${readers.names.length > 3 ? ', …' : ''}`;
  return {
    ...identity(terms, sumOf(others), whole),
    whole: { name: atTokens ? `pre-activation of ${named}` : `${named} on the path`, value: whole },
    dictionaries: summaries(dictionaries),
    notes: [ACTIVE_NOTE, SCOPE],
  };
}

/** That of the named features, else the last one. */
function readingDictionary({ nodes, dictionaries }: Asked): Dictionary {
  const layer = nodes.length === 0 ? null : parseFeaturePlace(nodes[0]!).feature.layer;
  const found = layer === null ? dictionaries.at(-1) : dictionaries.find(({ spec }) => spec.layer === layer);
  if (found) return found;
  if (dictionaries.length === 0) return onlyDictionary(dictionaries);
  throw new EngineError('bad-name', 'nodes', dictionaries.map(({ spec }) => `a feature of f${spec.layer}`).join(' or '), nodes[0]!);
}

const numberOf = (name: string): FeatureNode => parseFeaturePlace(name).feature;

async function readersAtTokens({ model, nodes, paths, question }: Asked, run: CleanRun, dictionary: Dictionary): Promise<Readers> {
  if (paths.length > 0) throw new EngineError('bad-request', 'paths', 'none beside features at positions', `${paths.length}`);
  const features = new FeatureMaps(model, run, dictionary);
  const numbers = featureNumbers(nodes, numberOf, dictionary, 'nodes');
  const tokens = question.tokens.length;
  const positions = nodes.map((name) => {
    const { position } = parseFeaturePlace(name);
    if (position !== null && position < tokens) return position;
    throw new EngineError('bad-request', 'nodes', `a position from 0 to ${tokens - 1} with each feature`, name);
  });
  const nothing = tensor(new Float32Array(tokens * dictionary.spec.dModel), [tokens, dictionary.spec.dModel]);
  const { preactivations } = await features.details(await features.whole(), nothing, numbers);
  const weights = tensor(new Float32Array(tokens * numbers.length), [tokens, numbers.length]);
  positions.forEach((position, column) => (weights.data[position * numbers.length + column] = 1));
  const wholes = positions.map((position, column) => columnOf(preactivations, column)[position]!);
  return { features, numbers, names: [...nodes], weights, wholes, before: [] };
}

async function readersOnPath(asked: Asked, run: CleanRun, dictionary: Dictionary, writing: readonly Dictionary[]): Promise<Readers> {
  const { model, question, paths, nodes } = asked;
  const direction = await model.direction(run, question);
  const withOwnBias = (start: Node) => writing.some((writer) => explainsNode(writer, start));
  const place = await placeOnPath(model, run, direction, dictionary, paths[0] ?? directPath(dictionary), withOwnBias);
  const { features, explained } = place;
  const numbers =
    nodes.length > 0 ? featureNumbers(nodes, numberOf, dictionary, 'nodes') : await largestFeatures(features, explained, place.direction);
  const { weights, values } = await features.details(explained, slice(place.direction, 0), numbers);
  return {
    features,
    numbers,
    names: numbers.map((part) => printFeature({ layer: dictionary.spec.layer, part })),
    weights,
    wholes: numbers.map((_, column) => columnOf(values, column).reduce((sum, value) => sum + value, 0)),
    before: place.before,
  };
}

async function largestFeatures(features: FeatureMaps, explained: Explained, direction: FloatTensor): Promise<number[]> {
  const { totals } = await features.split(explained, direction);
  const all = Array.from(totals.data, (value, feature) => ({ value, feature })).filter(({ value }) => value !== 0);
  return keepLargest(all, ({ value }) => Math.abs(value), DEFAULT_READERS).kept.map(({ feature }) => feature);
}

function explainsNode({ spec }: Dictionary, node: Node): boolean {
  return spec.kind !== 'residual' && node.kind === 'mlp' && node.layer === spec.layer;
}

/** Edges from everything that was written before, and what the readers owe to constants. */
async function edgesFromAll(readers: Readers, writing: readonly Dictionary[]): Promise<Edge[]> {
  const { features, numbers, names, weights } = readers;
  const { maps, spec } = features;
  if (numbers.length === 0) return [];
  for (const { spec: writer, name } of writing) {
    const isBefore = writer.kind === 'residual' ? writer.stage <= spec.stage : writer.stage < spec.stage;
    if (!isBefore) throw new EngineError('bad-request', 'dictionary', `one before ${spec.hook}`, name);
  }
  const { directions, own } = await features.directions(numbers, weights);
  const { pulled, own: beta } = await features.pull(directions);
  const edges = await edgesFromSources(features, pulled, { stage: spec.stage, through: [], writing });
  const add = (from: string, reader: number, value: number) => edges.push({ from, reader, value, writer: null });
  for (const reader of numbers.keys()) add(`${names[reader]!.split('@')[0]}.b`, reader, own[reader]! + beta[reader]!);
  if (spec.kind === 'mlp-out') {
    const bias = await startOf(features, { kind: 'mlp-bias', layer: spec.layer }, false);
    const { data } = await maps.totals(directions, tensor(bias.data, [1, ...bias.dims]));
    data.forEach((value, reader) => add(`m${spec.layer}.b`, reader, value));
  }
  return edges;
}

interface Sources {
  /** those of stages below this one */
  stage: number;
  /** nodes between them and the readers, by name */
  through: readonly string[];
  writing: readonly Dictionary[];
}

/** What directions [K, S, d] read of every source; what a dictionary explains by its features. */
async function edgesFromSources(features: FeatureMaps, directions: FloatTensor, { stage, through, writing }: Sources): Promise<Edge[]> {
  const { model, run, maps } = features;
  const writers = writing.filter(({ spec }) => (spec.kind === 'residual' ? spec.stage <= stage : spec.stage < stage));
  checkApart(writers);
  const { data: totals, dims } = await maps.totals(directions, run.sources);
  const named = (from: string) => [from, ...through].join('->');
  const edges: Edge[] = [];
  for (let reader = 0; reader < dims[0]!; reader++) {
    const byNode = new Map<string, number>();
    streamSources(model.spec).forEach((node, column) => {
      const own = stageOf(node, model.spec);
      if (own >= stage || writers.some((writer) => hides(writer, node, own))) return;
      const name = printNode(node.kind === 'mlp-bias' ? { kind: 'mlp', layer: node.layer } : node);
      byNode.set(name, (byNode.get(name) ?? 0) + totals[reader * dims[1]! + column]!);
    });
    for (const [name, value] of byNode) edges.push({ from: named(name), reader, value, writer: null });
  }
  for (const dictionary of writers) {
    const writer = new FeatureMaps(model, run, dictionary);
    edges.push(...splitEdges(writer, await writer.split(await writer.whole(), directions), named, through.length === 0));
  }
  return edges;
}

function hides({ spec }: Dictionary, node: Node, stage: number): boolean {
  if (spec.kind === 'residual') return stage < spec.stage;
  return (node.kind === 'mlp' || node.kind === 'mlp-bias') && node.layer === spec.layer;
}

/**
 * Edges from what the path brings: backwards along it to a node, or a point of the stream, that another dictionary
 * explains, else to its start. A path that starts at a head or an MLP stands for all that end so [M12]: then from
 * everything that this node reads.
 */
async function edgesOnPath(readers: Readers, writing: readonly Dictionary[]): Promise<Edge[]> {
  const { features, numbers, weights, before } = readers;
  const { model, run, maps } = features;
  if (numbers.length === 0) return [];
  const { directions } = await features.directions(numbers, weights);
  let { pulled } = await features.pull(directions);
  let reading = features.spec.stage;
  const withOwnBias = (start: Node) => writing.some((writer) => explainsNode(writer, start));
  const carriedTo = async (index: number) => {
    let x = await startOf(features, before[0]!, withOwnBias(before[0]!));
    for (const node of before.slice(1, index + 1)) x = slice(await maps.push(node as Component, tensor(x.data, [1, ...x.dims])), 0);
    return x;
  };
  const printed = (from: number, to?: number) => before.slice(from, to).map(printNode);
  for (let index = before.length - 1; index >= 0; index--) {
    const node = before[index]!;
    const stage = stageOf(node, model.spec);
    const crossed = writing.find(({ spec }) => spec.kind === 'residual' && stage < spec.stage && spec.stage <= reading);
    const at = writing.find((writer) => explainsNode(writer, node));
    const dictionary = crossed ?? at;
    if (dictionary) {
      const writer = new FeatureMaps(model, run, dictionary);
      const isStart = index === 0 && !crossed;
      const explained = isStart ? await writer.whole() : await writer.carried(await carriedTo(crossed ? index : index - 1));
      const [first, rest] = crossed ? [printed(0, index + 1), printed(index + 1)] : [printed(0, index), printed(index + 1)];
      const named = (part: string) => [...first, part, ...rest].join('->');
      return splitEdges(writer, await writer.split(explained, pulled), named, rest.length === 0);
    }
    if (index === 0 && !isComponent(node)) break;
    pulled = await maps.pull(node as Component, pulled);
    reading = stage;
  }
  if (isComponent(before[0]!)) return edgesFromSources(features, pulled, { stage: reading, through: printed(0), writing });
  const source = await carriedTo(0);
  const { data } = await maps.totals(pulled, tensor(source.data, [1, ...source.dims]));
  return Array.from(data, (value, reader) => ({ from: printed(0).join('->'), reader, value, writer: null }));
}

/** @param isStraight whether nothing stands between writer and reader */
function splitEdges(writer: FeatureMaps, { totals, errors, biases }: Split, named: (part: string) => string, isStraight: boolean): Edge[] {
  const { layer, width } = writer.spec;
  const edges: Edge[] = [];
  totals.data.forEach((value, index) => {
    if (value === 0) return;
    const [reader, number] = [Math.floor(index / width), index % width];
    edges.push({
      from: named(printFeature({ layer, part: number })),
      reader,
      value,
      writer: isStraight ? { features: writer, number } : null,
    });
  });
  for (const [part, sums] of [['b', biases] as const, ['error', errors] as const]) {
    if (!sums) continue;
    const [count, tokens] = sums.dims as [number, number];
    for (let reader = 0; reader < count; reader++) {
      const value = sums.data.subarray(reader * tokens, (reader + 1) * tokens).reduce((sum, one) => sum + one, 0);
      edges.push({ from: named(printFeature({ layer, part })), reader, value, writer: null });
    }
  }
  return edges;
}

/** For each edge what its reader reads of its writer whatever the prompt, up to the norm's scale; null where that is not defined. */
async function virtualWeights(model: Model, { features, numbers }: Readers, edges: readonly Edge[]): Promise<(number | null)[]> {
  const { kind, layer, readsNormed } = features.spec;
  const weights = edges.map((): number | null => null);
  // What a dictionary of an MLP's output reads has gone through gates, which are the prompt's.
  if (kind === 'mlp-out') return weights;
  const writers = new Set(edges.flatMap(({ writer }) => writer?.features ?? []));
  const { encoders } = writers.size === 0 ? { encoders: null } : await features.rows(numbers);
  for (const writer of writers) {
    const own = [...new Set(edges.flatMap((edge) => (edge.writer?.features === writer ? edge.writer.number : [])))];
    const { decoders } = await writer.rows(own);
    const folded = readsNormed ? layer : null;
    const outputs = await model.run(`virtual-weights-${folded ?? 'plain'}`, (spec) => virtualWeightsGraph(spec, folded), {
      decoders,
      encoders,
    });
    const rows = new Map(own.map((number, row) => [number, row]));
    edges.forEach((edge, index) => {
      if (edge.writer?.features !== writer) return;
      weights[index] = outputs['weights']!.data[rows.get(edge.writer.number)! * numbers.length + edge.reader]!;
    });
  }
  return weights;
}
