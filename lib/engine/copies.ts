import { changesOf } from './changes.ts';
import { groupBy } from './collections.ts';
import { ablatableNodes, headEffectGraph, headEffectName, mlpEffectGraph, readMetricGraph } from './graphs/causal.ts';
import { headPatchGraph, headPatchName } from './graphs/patches.ts';
import { mixGraph } from './graphs/outputs.ts';
import { causalMask, metricFeeds, type CleanRun, type Control, type Model, type Question } from './model.ts';
import { printNode, printStop, stageOf, type Node, type Path, type Slot, type Stop } from './names.ts';
import { indices, slice, slices, tensor, type FloatTensor, type Tensor } from './runtime.ts';
import { PRODUCT_ROWS } from './trie.ts';

/**
 * The treeified view [M16]: a node has one copy for each way in which what it writes is used. A leaf writes
 * the reference; any other copy recomputes its node on clean inputs plus the changes of the copies it reads.
 */
export interface Copy {
  /** equal keys compute equal outputs, so that paths share what they have in common */
  key: string;
  node: Node;
  /** empty for a leaf */
  reads: readonly Read[];
}

export interface Read {
  slot: Slot | null;
  from: Copy;
}

/** The copies that `logits` reads when all of `paths` are changed at once. */
export function copiesOf(paths: readonly Path[]): Copy[] {
  const before = groupBy(inOneNotation(paths), (path) => printNode(path.at(-2)!.node));
  return [...before.values()].map((group) => copyOf(group.map((path) => path.slice(0, -1))));
}

/**
 * A head that some path enters by a slot and another by none is entered by its three slots in both, so that a slot
 * reads one copy of each writer, however its paths were named; paths that then are the same count once.
 */
function inOneNotation(paths: readonly Path[]): readonly Path[] {
  const slotted = new Set(paths.flatMap((path) => path.filter(({ slot }) => slot).map(({ node }) => printNode(node))));
  if (slotted.size === 0) return paths;
  const split = (stop: Stop): Stop[] =>
    stop.slot || !slotted.has(printNode(stop.node)) ? [stop] : (['q', 'k', 'v'] as const).map((slot) => ({ node: stop.node, slot }));
  const all = paths.flatMap(([first, ...rest]) =>
    rest.reduce<Path[]>((begun, stop) => begun.flatMap((path) => split(stop).map((own) => [...path, own])), [[first!]]),
  );
  return [...new Map(all.map((path) => [sortKey(path), path])).values()];
}

/** The copy of the last node of `paths`, which all end in the same node with the same suffix. */
function copyOf(paths: readonly Path[]): Copy {
  const { node } = paths[0]!.at(-1)!;
  const name = printNode(node);
  if (paths.some((path) => path.length === 1)) return { key: name, node, reads: [] };
  const bySource = groupBy(paths, (path) => `${printNode(path.at(-2)!.node)} ${path.at(-1)!.slot ?? ''}`);
  const reads = [...bySource.values()].map((group): Read => ({
    slot: group[0]!.at(-1)!.slot,
    from: copyOf(group.map((path) => path.slice(0, -1))),
  }));
  const parts = reads.map(({ slot, from }) => `${slot ?? ''}:${from.key}`).toSorted();
  return { key: `${name}(${parts.join(',')})`, node, reads };
}

/** Bytes of changed outputs kept at once; a batch of changes is as large as all paths of one chunk together. */
const CHUNK_BYTES = 160 * 1024 * 1024;

/** Evaluates sets of paths; one object serves one question and reference. */
export class Effects {
  readonly #index: ReadonlyMap<string, number>;

  private constructor(
    readonly model: Model,
    readonly run: CleanRun,
    readonly question: Question,
    readonly outputs: FloatTensor,
    readonly change: FloatTensor,
  ) {
    this.#index = new Map(ablatableNodes(model.spec).map((name, index) => [name, index]));
  }

  /** @param reference sources of the reference run, [N, S, d]; null = zero */
  static async prepare(model: Model, run: CleanRun, question: Question, reference: FloatTensor | null): Promise<Effects> {
    const { outputs, change } = await changesOf(model, run, reference);
    return new Effects(model, run, question, outputs, change);
  }

  /** Effect of each set of paths: new metric − clean metric. */
  of(sets: readonly (readonly Path[])[], control: Control): Promise<number[]> {
    return this.#inChunks(sets, control, async (rows) => {
      const { dModel } = this.model.spec;
      const all = new Float32Array(rows.data.length + dModel);
      all.set(rows.data);
      const { metric } = await this.model.run('read-metric', readMetricGraph, {
        ...metricFeeds(this.question),
        clean: this.run.final,
        change: tensor(all, [rows.dims[0]! + 1, dModel]),
      });
      const unchanged = metric!.data.at(-1)!;
      return Array.from(metric!.data.subarray(0, -1), (value) => value - unchanged);
    });
  }

  /** What each set of paths adds to the run's final stream at the last token, [d] each. */
  finalChanges(sets: readonly (readonly Path[])[], control: Control): Promise<Float32Array[]> {
    return this.#inChunks(sets, control, async (rows) => Array.from({ length: rows.dims[0]! }, (_, row) => slice(rows, row).data));
  }

  /** @param read takes the changes of the final stream [P, d] of a chunk of sets */
  async #inChunks<T>(sets: readonly (readonly Path[])[], control: Control, read: (rows: FloatTensor) => Promise<T[]>): Promise<T[]> {
    const size = 4 * this.run.tokens.length * this.model.spec.dModel;
    const order = sets
      .map((set, index) => ({ index, set, name: set.length === 1 ? sortKey(set[0]!) : `~${index}` }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const results = new Array<T>(sets.length);
    let chunk: typeof order = [];
    let done = 0;
    const flush = async () => {
      if (chunk.length === 0) return;
      const copies = chunk.map(({ set }) => copiesOf(set));
      const values = await read(await this.#rows(copies, await this.#changes(copies, control)));
      chunk.forEach(({ index }, at) => (results[index] = values[at]!));
      done += chunk.length;
      chunk = [];
      control.progress(done, sets.length, 'paths tested');
    };
    const kept = new Set<string>();
    for (const entry of order) {
      const needed = keptCopies(entry);
      const added = needed.filter((key) => !kept.has(key));
      if (kept.size + added.length > CHUNK_BYTES / size && chunk.length > 0) {
        await flush();
        kept.clear();
      }
      chunk.push(entry);
      for (const key of needed) kept.add(key);
    }
    await flush();
    return results;
  }

  /** What every copy that the sets need writes beyond the clean run. */
  async #changes(sets: readonly (readonly Copy[])[], control: Control): Promise<Changes> {
    const copies = new Map<string, Copy>();
    /** the last stage that reads a copy, by key */
    const readOn = new Map<string, number>();
    const collect = (copy: Copy) => {
      if (copies.has(copy.key)) return;
      copies.set(copy.key, copy);
      const stage = stageOf(copy.node, this.model.spec);
      for (const { from } of copy.reads) {
        readOn.set(from.key, Math.max(stage, readOn.get(from.key) ?? stage));
        collect(from);
      }
    };
    sets.flat().forEach(collect);
    const atEnd = new Set(sets.flatMap((set) => set.map(({ key }) => key)));
    const changes = new Changes(this.run.tokens.length, this.model.spec.dModel);
    const live = [...copies.values()].filter(({ reads }) => reads.length > 0);
    for (const copy of copies.values()) {
      if (copy.reads.length === 0) changes.set(copy.key, slice(this.change, this.#index.get(printNode(copy.node))!).data);
    }
    const stages = [...groupBy(live, ({ node }) => stageOf(node, this.model.spec))].toSorted(([a], [b]) => a - b);
    for (const [index, stage] of stages) {
      const { whole, rest } = wholeLayers(stage, readOn, this.model.spec.heads);
      for (const group of whole) {
        await control.checkpoint();
        await this.#layer((group[0]!.node as Head).layer, group, changes);
      }
      for (const group of groupBy(rest, (copy) => `${printNode(copy.node)} ${bySlot(copy)} ${readOn.has(copy.key)}`).values()) {
        await control.checkpoint();
        await this.#evaluate(group, !readOn.has(group[0]!.key), changes);
      }
      for (const [key, last] of readOn) if (last === index) changes.release(key, atEnd.has(key));
    }
    return changes;
  }

  /** Copies of one node: all take every token, or all the last alone. */
  async #evaluate(copies: readonly Copy[], atLast: boolean, changes: Changes): Promise<void> {
    const { node } = copies[0]!;
    const most = Math.max(1, Math.ceil(PRODUCT_ROWS / this.run.tokens.length));
    for (let from = 0; from < copies.length; from += most) {
      const batch = copies.slice(from, from + most);
      const change = node.kind === 'head' ? await this.#head(node, batch, atLast, changes) : await this.#mlp(node, batch, atLast, changes);
      batch.forEach((copy, index) => changes.set(copy.key, slice(change, index).data));
    }
  }

  /** Copies of the heads of one layer that all read one copy, every token: the layer's attention at once. */
  async #layer(layer: number, copies: readonly Copy[], changes: Changes): Promise<void> {
    const { heads } = this.model.spec;
    const { after } = await this.model.run(headPatchName(layer, 'all'), (spec) => headPatchGraph(spec, layer, 'all'), {
      clean: slice(this.run.beforeAttention, layer),
      change: await this.#inputs([copies[0]!], null, changes),
      edges: indices(copies.map(({ node }) => (node as Head).head)),
      mask: causalMask(this.run.tokens.length),
      before: slices(this.outputs, this.#index.get(`a${layer}.h0`)!, heads),
      from: indices([0]),
    });
    copies.forEach((copy, index) => changes.set(copy.key, slice(after!, index).data));
  }

  async #head(node: Head, copies: readonly Copy[], atLast: boolean, changes: Changes): Promise<FloatTensor> {
    const { layer, head } = node;
    const length = this.run.tokens.length;
    const mode = bySlot(copies[0]!) ? 'by-slot' : atLast ? 'last' : 'all';
    const before = slice(this.outputs, this.#index.get(printNode(node))!);
    const feeds: Record<string, Tensor | null> = {
      clean: slice(this.run.beforeAttention, layer),
      before: atLast ? slices(before, length - 1, 1) : before,
      head: indices([head], []),
      mask: mode !== 'last' || this.model.spec.windows[layer] != null ? causalMask(length) : null,
    };
    if (mode === 'by-slot') {
      feeds['from'] = indices([atLast ? length - 1 : 0]);
      for (const slot of ['q', 'k', 'v'] as const) feeds[`change${slot.toUpperCase()}`] = await this.#inputs(copies, slot, changes);
    } else feeds['changeIn'] = await this.#inputs(copies, null, changes);
    const outputs = await this.model.run(headEffectName(layer, mode), (spec) => headEffectGraph(spec, layer, mode), feeds);
    return outputs['change']!;
  }

  async #mlp(node: Node, copies: readonly Copy[], atLast: boolean, changes: Changes): Promise<FloatTensor> {
    const { layer } = node as Extract<Node, { kind: 'mlp' }>;
    const { change } = await this.model.run(`mlp-effect-${layer}`, (spec) => mlpEffectGraph(spec, layer), {
      clean: slice(this.run.beforeMlp!, layer),
      changeIn: await this.#inputs(copies, null, changes),
      before: slice(this.outputs, this.#index.get(printNode(node))!),
      from: indices([atLast ? this.run.tokens.length - 1 : 0]),
    });
    return change!;
  }

  /** What each copy's slot reads beyond the clean stream, [P, S, d]; slot null = reads without a slot. */
  async #inputs(copies: readonly Copy[], slot: Slot | null, changes: Changes): Promise<FloatTensor> {
    const reads = copies.map((copy) => copy.reads.filter((read) => read.slot === null || read.slot === slot).map(({ from }) => from.key));
    const dims = [copies.length, this.run.tokens.length, this.model.spec.dModel];
    if (reads.every((keys) => keys.length <= 1)) return tensor(changes.batch(reads.map(([key]) => key ?? null)), dims);
    const keys = [...new Set(reads.flat())];
    const weights = new Float32Array(copies.length * keys.length);
    const column = new Map(keys.map((key, index) => [key, index]));
    reads.forEach((own, row) => own.forEach((key) => (weights[row * keys.length + column.get(key)!] = 1)));
    const { mixed } = await this.model.run('mix', mixGraph, {
      weights: tensor(weights, [copies.length, keys.length]),
      changes: tensor(changes.batch(keys), [keys.length, ...dims.slice(1)]),
    });
    return mixed!;
  }

  /** What each set adds to the final stream at the last token, [P, d]. */
  async #rows(sets: readonly (readonly Copy[])[], changes: Changes): Promise<FloatTensor> {
    const { dModel } = this.model.spec;
    const keys = sets.map((set) => set.map(({ key }) => key));
    const single = keys.every((own) => own.length === 1);
    return single ? tensor(changes.lastRows(keys.flat()), [keys.length, dModel]) : this.#mixLast(keys, changes);
  }

  async #mixLast(keys: readonly (readonly string[])[], changes: Changes): Promise<FloatTensor> {
    const { dModel } = this.model.spec;
    const distinct = [...new Set(keys.flat())];
    const weights = new Float32Array(keys.length * distinct.length);
    const column = new Map(distinct.map((key, index) => [key, index]));
    keys.forEach((own, row) => own.forEach((key) => (weights[row * distinct.length + column.get(key)!] = 1)));
    const { mixed } = await this.model.run('mix', mixGraph, {
      weights: tensor(weights, [keys.length, distinct.length]),
      changes: tensor(changes.lastRows(distinct), [distinct.length, 1, dModel]),
    });
    return tensor(mixed!.data, [keys.length, dModel]);
  }
}

type Head = Extract<Node, { kind: 'head' }>;

/** Head copies that read one and the same copy, where they are at least half of a layer's heads; and the others. */
function wholeLayers(stage: readonly Copy[], readOn: ReadonlyMap<string, number>, heads: number): { whole: Copy[][]; rest: Copy[] } {
  const together = (copy: Copy) => copy.node.kind === 'head' && copy.reads.length === 1 && !bySlot(copy) && readOn.has(copy.key);
  const groups = [...groupBy(stage.filter(together), ({ reads }) => reads[0]!.from.key).values()];
  const whole = groups.filter((group) => group.length > 1 && group.length >= heads / 2);
  const taken = new Set(whole.flat());
  return { whole, rest: stage.filter((copy) => !taken.has(copy)) };
}

/** True when a slot is named, so that q, k and v read different things. */
function bySlot(copy: Copy): boolean {
  return copy.reads.some(({ slot }) => slot !== null);
}

/**
 * Names of the outputs at every token that a set of paths needs at most: the beginnings of a single path, which other
 * paths may share, or of several together all of theirs.
 */
function keptCopies({ set, name }: { set: readonly Path[]; name: string }): string[] {
  return set.flatMap((path, at) => {
    const names = path.slice(0, -2).map(printStop);
    return names.map((_, end) => (set.length === 1 ? names.slice(0, end + 1).join(' ') : `${name} ${at} ${end}`));
  });
}

/** Paths that share their beginning sort together. */
function sortKey(path: Path): string {
  return path.map(printStop).join(' ');
}

/** Changes of outputs by copy: [S, d], or the last token's row [1, d] where nothing else is read. */
class Changes {
  readonly #data = new Map<string, Float32Array>();

  constructor(
    readonly tokens: number,
    readonly width: number,
  ) {}

  set(key: string, data: Float32Array): void {
    this.#data.set(key, data);
  }

  /** Forgets what is not read any more; `atEnd` keeps the last token's row. */
  release(key: string, atEnd: boolean): void {
    if (atEnd) this.#data.set(key, this.#get(key).slice(-this.width));
    else this.#data.delete(key);
  }

  /** [keys, S, d]; null = no change. */
  batch(keys: readonly (string | null)[]): Float32Array {
    const size = this.tokens * this.width;
    const batch = new Float32Array(keys.length * size);
    keys.forEach((key, index) => key !== null && batch.set(this.#get(key), index * size));
    return batch;
  }

  /** [keys, d] at the last token. */
  lastRows(keys: readonly string[]): Float32Array {
    const batch = new Float32Array(keys.length * this.width);
    keys.forEach((key, index) => batch.set(this.#get(key).subarray(-this.width), index * this.width));
    return batch;
  }

  #get(key: string): Float32Array {
    return this.#data.get(key)!;
  }
}
