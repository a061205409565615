import { causalMask, metricFeeds, type CleanRun, type Control, type Model, type Question } from './model.ts';
import { changesOf } from './changes.ts';
import { groupBy } from './collections.ts';
import { ablatableNodes, mlpEffectGraph, readMetricGraph } from './graphs/causal.ts';
import { maskedGraph } from './graphs/masked.ts';
import { changedGraph } from './graphs/outputs.ts';
import { downstreamGraph, downstreamName, headPatchGraph, headPatchName, type PatchedSlots } from './graphs/patches.ts';
import { parseEdge, parseNode, printNode, stageOf, type Edge, type Node, type Slot } from './names.ts';
import { indices, slice, slices, tensor, type FloatTensor, type Tensor } from './runtime.ts';
import type { ModelSpec } from './spec.ts';
import { stagesOf } from './stages.ts';
import { PRODUCT_ROWS } from './trie.ts';

export const SLOTS: readonly Slot[] = ['q', 'k', 'v'];

/** Every edge of the model, heads read by slot [M3], in the order of readers and then of writers. */
export function everyEdge(spec: ModelSpec): Edge[] {
  const writers = ablatableNodes(spec).map(parseNode);
  const readers = [...writers.slice(1), parseNode('logits')];
  return readers.flatMap((node) => {
    const before = writers.slice(0, writersBefore(node, spec));
    const slots = node.kind === 'head' ? SLOTS : [null];
    return slots.flatMap((slot) => before.map((from) => ({ from, to: { node, slot } })));
  });
}

/** The edge, or with a head that is named without a slot its three. */
export function bySlot({ from, to }: Edge): Edge[] {
  if (to.node.kind !== 'head' || to.slot) return [{ from, to }];
  return SLOTS.map((slot) => ({ from, to: { node: to.node, slot } }));
}

/** How many of ablatableNodes stand before a reader's stage. */
export function writersBefore(reader: Node, spec: ModelSpec): number {
  if (reader.kind === 'mlp' && spec.parallel) return writerIndex({ kind: 'head', layer: reader.layer, head: 0 }, spec);
  if (reader.kind === 'head') return writerIndex({ ...reader, head: 0 }, spec);
  return writerIndex(reader, spec);
}

/** Place of a node in ablatableNodes; `logits` is behind the last. */
export function writerIndex(node: Node, { layers, heads, hasMlp }: ModelSpec): number {
  const perLayer = heads + Number(hasMlp);
  if (node.kind === 'head') return 1 + node.layer * perLayer + node.head;
  if (node.kind === 'mlp') return 1 + node.layer * perLayer + heads;
  return node.kind === 'input' ? 0 : 1 + layers * perLayer;
}

/**
 * The final stream [sets, d] at the last token with the named edges taken from the reference [M8], everything
 * recomputed.
 * @param reference sources of the reference run, [N, S, d]
 * @param sets patched edges by name, heads by slot
 */
export async function maskedFinals(
  model: Model,
  tokens: readonly number[],
  reference: FloatTensor,
  sets: readonly ReadonlySet<string>[],
): Promise<FloatTensor> {
  const { spec } = model;
  const { layers, heads } = spec;
  const count = sets.length;
  const column = new Map(ablatableNodes(spec).map((name, index) => [name, index]));
  const feeds: Record<string, Tensor> = { mask: causalMask(tokens.length), reference };
  feeds['tokens'] = indices(
    sets.flatMap(() => [...tokens]),
    [count, tokens.length],
  );
  const add = (name: string, readers: number, writers: number) => {
    const data = new Float32Array(count * readers * writers);
    feeds[name] = tensor(data, [count, readers, writers]);
    return (set: number, reader: number, writer: number) => (data[(set * readers + reader) * writers + writer] = 1);
  };
  const patch = new Map<string, ReturnType<typeof add>>();
  for (let layer = 0; layer < layers; layer++) {
    const before = writersBefore({ kind: 'head', layer, head: 0 }, spec);
    patch.set(`a${layer}`, add(`heads${layer}`, 3 * heads, before));
    if (spec.hasMlp) patch.set(`m${layer}`, add(`mlp${layer}`, 1, writersBefore({ kind: 'mlp', layer }, spec)));
  }
  patch.set('logits', add('logits', 1, column.size));
  sets.forEach((set, index) => {
    for (const name of set) {
      for (const { from, to } of bySlot(parseEdge(name, spec))) {
        const { node, slot } = to;
        const key = node.kind === 'head' ? `a${node.layer}` : printNode(node);
        const reader = node.kind === 'head' ? SLOTS.indexOf(slot!) * heads + node.head : 0;
        patch.get(key)!(index, reader, column.get(printNode(from))!);
      }
    }
  });
  return (await model.run('masked', maskedGraph, feeds))['final']!;
}

/** Patches of single edges [M8]: only what is downstream of the reader is recomputed, many edges at a time. */
export class EdgePatches {
  readonly #column: ReadonlyMap<string, number>;
  readonly #batch: number;

  private constructor(
    readonly model: Model,
    readonly run: CleanRun,
    readonly question: Question,
    readonly outputs: FloatTensor,
    readonly change: FloatTensor,
  ) {
    this.#column = new Map(ablatableNodes(model.spec).map((name, index) => [name, index]));
    this.#batch = Math.max(1, Math.ceil(PRODUCT_ROWS / run.tokens.length));
  }

  /** @param reference sources of the reference run, [N, S, d]; null = zero */
  static async prepare(model: Model, run: CleanRun, question: Question, reference: FloatTensor | null): Promise<EdgePatches> {
    const { outputs, change } = await changesOf(model, run, reference);
    return new EdgePatches(model, run, question, outputs, change);
  }

  /** The metric after each edge alone is patched. */
  async metrics(edges: readonly Edge[], control: Control): Promise<number[]> {
    const metrics = new Array<number>(edges.length);
    const groups = groupBy([...edges.keys()], (index) => readerKey(edges[index]!));
    let done = 0;
    for (const group of groups.values()) {
      for (let from = 0; from < group.length; from += this.#batch) {
        await control.checkpoint();
        const batch = group.slice(from, from + this.#batch);
        const values = await this.#patch(batch.map((index) => edges[index]!));
        batch.forEach((index, at) => (metrics[index] = values[at]!));
        done += batch.length;
        control.progress(done, edges.length, 'edges patched');
      }
    }
    return metrics;
  }

  /** Edges into one kind of reader at one stage, with the same slots. */
  async #patch(edges: readonly Edge[]): Promise<number[]> {
    const { node } = edges[0]!.to;
    if (node.kind === 'logits') return this.#read(this.run.final, this.#lastRows(edges));
    const stage = stageOf(node, this.model.spec);
    const last = stage === stagesOf(this.model.spec).length - 1;
    const from = last ? this.run.tokens.length - 1 : 0;
    const change = node.kind === 'head' ? await this.#heads(node, edges, from) : await this.#mlp(node, edges, from);
    const { dModel } = this.model.spec;
    if (last) return this.#read(this.run.final, tensor(change.data, [edges.length, dModel]));
    return this.#read(tensor(new Float32Array(dModel), [dModel]), await this.#downstream(stage, change, edges.length));
  }

  async #heads(node: Extract<Node, { kind: 'head' }>, edges: readonly Edge[], from: number): Promise<FloatTensor> {
    const { layer } = node;
    const { heads } = this.model.spec;
    const slots: PatchedSlots = edges[0]!.to.slot ?? 'all';
    const writers = [...new Set(edges.map((edge) => this.#writer(edge)))];
    const place = new Map(writers.map((writer, index) => [writer, index]));
    const first = this.#column.get(`a${layer}.h0`)!;
    const { after } = await this.model.run(headPatchName(layer, slots), (spec) => headPatchGraph(spec, layer, slots), {
      clean: slice(this.run.beforeAttention, layer),
      change: this.#changes(writers),
      edges: indices(edges.map((edge) => place.get(this.#writer(edge))! * heads + (edge.to.node as typeof node).head)),
      mask: causalMask(this.run.tokens.length),
      before: slices(this.outputs, first, heads),
      from: indices([from]),
    });
    return after!;
  }

  async #mlp(node: Node, edges: readonly Edge[], from: number): Promise<FloatTensor> {
    const { layer } = node as Extract<Node, { kind: 'mlp' }>;
    const { change } = await this.model.run(`mlp-effect-${layer}`, (spec) => mlpEffectGraph(spec, layer), {
      clean: slice(this.run.beforeMlp!, layer),
      changeIn: this.#changes(edges.map((edge) => this.#writer(edge))),
      before: slice(this.outputs, this.#column.get(`m${layer}`)!),
      from: indices([from]),
    });
    return change!;
  }

  /**
   * The final streams [P, d] at the last token, from changes [P, S, d] of what a stage writes that is not the last.
   */
  async #downstream(stage: number, change: FloatTensor, count: number): Promise<FloatTensor> {
    const { dModel } = this.model.spec;
    const stages = stagesOf(this.model.spec);
    const length = this.run.tokens.length;
    let { stream } = await this.model.run('changed', changedGraph, { change, clean: this.#after(stage) });
    for (let next = stage + 1; next < stages.length; next++) {
      const from = next === stages.length - 1 ? length - 1 : 0;
      const mask = stages[next]!.attention ? causalMask(length) : null;
      const outputs = await this.model.run(downstreamName(next), (spec) => downstreamGraph(spec, next), {
        stream: stream!,
        from: indices([from]),
        mask,
      });
      stream = outputs['after'];
    }
    return tensor(stream!.data, [count, dModel]);
  }

  /** The clean stream behind a stage that is not the last. */
  #after(stage: number): FloatTensor {
    const { layer, attention, mlp } = stagesOf(this.model.spec)[stage]!;
    if (attention && !mlp && this.run.beforeMlp) return slice(this.run.beforeMlp, layer);
    return slice(this.run.beforeAttention, layer + 1);
  }

  /** The metric of final streams `clean` [d] + `change` [P, d]. */
  async #read(clean: FloatTensor, change: FloatTensor): Promise<number[]> {
    const { metric } = await this.model.run('read-metric', readMetricGraph, { ...metricFeeds(this.question), clean, change });
    return [...metric!.data];
  }

  #writer(edge: Edge): number {
    return this.#column.get(printNode(edge.from))!;
  }

  #changes(writers: readonly number[]): FloatTensor {
    const size = this.run.tokens.length * this.model.spec.dModel;
    const data = new Float32Array(writers.length * size);
    writers.forEach((writer, index) => data.set(slice(this.change, writer).data, index * size));
    return tensor(data, [writers.length, this.run.tokens.length, this.model.spec.dModel]);
  }

  #lastRows(edges: readonly Edge[]): FloatTensor {
    const { dModel } = this.model.spec;
    const data = new Float32Array(edges.length * dModel);
    edges.forEach((edge, index) => data.set(slice(this.change, this.#writer(edge)).data.subarray(-dModel), index * dModel));
    return tensor(data, [edges.length, dModel]);
  }
}

/** Edges with one key are patched by one run: the heads of a layer by the same slot, an MLP, or `logits`. */
function readerKey({ to }: Edge): string {
  return to.node.kind === 'head' ? `a${to.node.layer} ${to.slot ?? ''}` : printNode(to.node);
}
