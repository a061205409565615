import { directionRows, placedHeadsGraph, placedTotalsGraph } from '../graphs/placed-flow.ts';
import type { CleanRun, Model } from '../model.ts';
import { printNode, printPlace, printPlacedEdge, stageOf, type Node, type Place } from '../names.ts';
import { indices, slice, slices, tensor, type FloatTensor } from '../runtime.ts';
import { streamSources, type ModelSpec } from '../spec.ts';
import { LargestFlows, type Flow } from './largest-flows.ts';
import type { Asked, Outcome } from './view.ts';

/** Edges that are listed unless `top` says otherwise. */
const DEFAULT_TOP = 10_000;
/** Flows that are computed at once, below 2^24: see placedHeadsGraph. */
const CHUNK = 8 * 1024 * 1024;

/**
 * Flow between token positions [M26], the largest |value| first: `a0.h1@5->a1.h3@9` is the sum of all frozen paths on
 * which query 9 of head 1.3 takes what head 0.1 wrote at token 5. An `m{l}@t` holds its own bias, whose part flows into
 * it as `m{l}.b@t->m{l}@t`, so that every place gives what it takes. `sum` is over what flows into `logits`, all of it
 * whatever `top` lists; `extent` tells what is not listed, `through` what flows through each place that is.
 */
export async function placedFlowView(asked: Asked): Promise<Outcome> {
  const { model, question, metric, control } = asked;
  const run = await model.clean(question.tokens);
  const { direction, bias } = await model.direction(run, question);
  const { sources, patterns, inverse1, inverse2, gates } = run;
  const feeds = { sources, direction, patterns, inverse1, inverse2, gates };
  const { totals, behindHeads } = await model.run('placed-totals', placedTotalsGraph, feeds);
  const local = new LocalFlows(model.spec, totals!, bias);
  const largest = new LargestFlows(asked.top ?? DEFAULT_TOP);
  local.visit((flow) => largest.add(flow));
  const chunks = chunksOf(model.spec, run.tokens.length);
  for (const [index, chunk] of chunks.entries()) {
    await control.checkpoint();
    await addHeadFlows(largest, model, run, slice(behindHeads!, chunk.layer), chunk);
    control.progress(index + 1, chunks.length, 'parts of layers');
  }
  const { flows, extent } = largest.finish();
  const sum = local.sumIntoLogits();
  return {
    terms: flows.map(({ from, to, value }) => ({ name: printPlacedEdge({ from, to }), value })),
    sum,
    error: Math.abs(sum - metric),
    extent,
    through: placesOf(flows, (place) => (place.node.kind === 'logits' ? sum : local.through(place))),
  };
}

/** The places of some flows, each once, with what flows through it. */
function placesOf(flows: readonly Flow[], through: (place: Place) => number): NonNullable<Outcome['through']> {
  const places = new Map<string, number>();
  for (const place of flows.flatMap(({ from, to }) => [from, to])) {
    const name = printPlace(place);
    if (!places.has(name)) places.set(name, through(place));
  }
  return [...places].map(([name, value]) => ({ name, value }));
}

/** What writes to the stream: a source, an MLP together with its own bias. */
interface Writer {
  node: Node;
  /** row in streamSources */
  main: number;
  /** row of the own bias */
  bias: number | null;
}

function writersOf(spec: ModelSpec): Writer[] {
  const writers: Writer[] = [];
  streamSources(spec).forEach((node, row) => {
    if (node.kind === 'mlp-bias') writers.at(-1)!.bias = row;
    else writers.push({ node, main: row, bias: null });
  });
  return writers;
}

const LOGITS: Place = { node: { kind: 'logits' }, position: null };

/** What is read at the token where it was written: flows into MLPs and `logits`, and what flows through a place. */
class LocalFlows {
  readonly #rows;
  readonly #writers;
  readonly #byName;
  readonly #last;

  /** @param totals as placedTotalsGraph gives them */
  constructor(
    readonly spec: ModelSpec,
    readonly totals: FloatTensor,
    readonly bias: number,
  ) {
    this.#rows = directionRows(spec);
    this.#writers = writersOf(spec);
    this.#byName = new Map(this.#writers.map((writer) => [printNode(writer.node), writer]));
    this.#last = totals.dims[0]! - 1;
  }

  visit(take: (flow: Flow) => void): void {
    this.#rows.mlp.forEach((row, layer) => this.#visitMlp(row, layer, take));
    this.#visitLogits(take);
  }

  sumIntoLogits(): number {
    let sum = 0;
    this.#visitLogits(({ value }) => {
      sum += value;
    });
    return sum;
  }

  /** The sum of all paths through a place other than `logits`. */
  through({ node, position }: Place): number {
    switch (node.kind) {
      case 'input':
        return this.#read(position!, this.#rows.input, node);
      case 'head':
      case 'attn-bias':
        return this.#read(position!, this.#rows.behindHeads[node.layer]!, node);
      case 'mlp':
        return this.#read(position!, this.#rows.behindMlp[node.layer]!, node);
      case 'mlp-bias':
        return this.#total(position!, this.#rows.behindMlp[node.layer]!, this.#byName.get(`m${node.layer}`)!.bias!);
      default:
        return this.bias;
    }
  }

  #visitMlp(row: number, layer: number, take: (flow: Flow) => void): void {
    const node: Node = { kind: 'mlp', layer };
    const stage = stageOf(node, this.spec);
    const before = this.#writers.filter((writer) => stageOf(writer.node, this.spec) < stage);
    for (let position = 0; position <= this.#last; position++) {
      const to: Place = { node, position };
      for (const writer of before) take({ from: { node: writer.node, position }, to, value: this.#read(position, row, writer.node) });
      const own: Place = { node: { kind: 'mlp-bias', layer }, position };
      take({ from: own, to, value: this.through(own) });
    }
  }

  #visitLogits(take: (flow: Flow) => void): void {
    const position = this.#last;
    for (const { node } of this.#writers) {
      take({ from: { node, position }, to: LOGITS, value: this.#read(position, this.#rows.logits, node) });
    }
    take({ from: { node: { kind: 'logits-bias' }, position: null }, to: LOGITS, value: this.bias });
  }

  #read(position: number, row: number, node: Node): number {
    const { main, bias } = this.#byName.get(printNode(node))!;
    return this.#total(position, row, main) + (bias === null ? 0 : this.#total(position, row, bias));
  }

  #total(position: number, row: number, source: number): number {
    const [, rows, count] = this.totals.dims as [number, number, number];
    return this.totals.data[(position * rows + row) * count + source]!;
  }
}

/** Flows into the heads of a layer that are computed together: from some writers, for some queries. */
interface Chunk {
  layer: number;
  writers: readonly Writer[];
  firstQuery: number;
  queries: number;
}

function chunksOf(spec: ModelSpec, length: number): Chunk[] {
  const { layers, heads } = spec;
  const queries = Math.min(length, Math.max(1, Math.floor(CHUNK / (heads * length))));
  const count = Math.max(1, Math.floor(CHUNK / (heads * length * queries)));
  const all = writersOf(spec);
  const chunks: Chunk[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const stage = stageOf({ kind: 'head', layer, head: 0 }, spec);
    const before = all.filter((writer) => stageOf(writer.node, spec) < stage);
    // Behind the last layer's heads only the token that is read is left.
    const first = layer === layers - 1 ? length - 1 : 0;
    for (let firstQuery = first; firstQuery < length; firstQuery += queries) {
      for (let at = 0; at < before.length; at += count) {
        const writers = before.slice(at, at + count);
        chunks.push({ layer, writers, firstQuery, queries: Math.min(queries, length - firstQuery) });
      }
    }
  }
  return chunks;
}

/** @param behind G behind the layer's heads, [S, d] */
async function addHeadFlows(largest: LargestFlows, model: Model, run: CleanRun, behind: FloatTensor, chunk: Chunk): Promise<void> {
  const { layer, writers, firstQuery, queries } = chunk;
  const first = writers[0]!.main;
  const last = writers.at(-1)!;
  const outputs = await model.run(`placed-heads-${layer}`, (spec) => placedHeadsGraph(spec, layer), {
    sources: slices(run.sources, first, (last.bias ?? last.main) + 1 - first),
    main: indices(writers.map(({ main }) => main - first)),
    extra: indices(writers.map(({ main, bias }) => (bias ?? main) - first)),
    hasExtra: tensor(
      Float32Array.from(writers, ({ bias }) => (bias === null ? 0 : 1)),
      [writers.length],
    ),
    direction: slices(behind, firstQuery, queries),
    pattern: queriesOf(slice(run.patterns, layer), firstQuery, queries),
    inverse: run.inverse1 && slice(run.inverse1, layer),
    limit: indices([largest.limit]),
  });
  const { values, writers: from, heads, queries: to, keys, extent } = outputs as Record<string, FloatTensor>;
  const readers = Array.from({ length: model.spec.heads }, (_, head): Node => ({ kind: 'head', layer, head }));
  values!.data.forEach((value, index) => {
    largest.add({
      from: { node: writers[from!.data[index]!]!.node, position: keys!.data[index]! },
      to: { node: readers[heads!.data[index]!]!, position: firstQuery + to!.data[index]! },
      value,
    });
  });
  const given = values!.data.reduce((count, value) => count + Number(value !== 0), 0);
  largest.addUnseen({ edges: extent!.data[0]! - given, mass: extent!.data[1]! });
}

/** Rows of some queries of patterns [H, S, S], [H, Q, S]. */
function queriesOf(patterns: FloatTensor, first: number, count: number): FloatTensor {
  const [heads, length] = patterns.dims as [number, number];
  if (count === length) return patterns;
  const data = new Float32Array(heads * count * length);
  for (let head = 0; head < heads; head++) {
    data.set(slices(slice(patterns, head), first, count).data, head * count * length);
  }
  return tensor(data, [heads, count, length]);
}
