import { FrozenMaps } from './frozen-maps.ts';
import type { CleanRun, Control, Direction, Model } from './model.ts';
import { isBlockBias, stageOf, type Node } from './names.ts';
import type { Granularity } from './request.ts';
import { slice, tensor, type FloatTensor } from './runtime.ts';
import { streamSources } from './spec.ts';

/** Units of one stage that are pulled alike: one head, all heads of a layer, an MLP, or the neurons of an MLP. */
export interface UnitGroup {
  kind: 'head' | 'attention' | 'mlp' | 'neurons';
  layer: number;
  /** of `head` */
  head: number;
  stage: number;
  /** units in the group */
  count: number;
}

/** Directions pulled at once, in bytes. */
const CHUNK_BYTES = 16 * 1024 * 1024;

/** All frozen paths of a run at a granularity [M22], [M23]: values without names, many at a time. */
export class Expansion {
  readonly maps: FrozenMaps;
  /** by stage */
  readonly stages: readonly (readonly UnitGroup[])[];
  readonly #sources: FloatTensor;
  readonly #sourceStages: readonly number[];

  constructor(
    model: Model,
    run: CleanRun,
    readonly direction: Direction,
    readonly granularity: Granularity,
  ) {
    this.maps = new FrozenMaps(model, run);
    const nodes = streamSources(model.spec);
    const rows = nodes.flatMap((node, row) => (node.kind === 'input' || isBlockBias(node) ? [row] : []));
    this.#sourceStages = rows.map((row) => stageOf(nodes[row]!, model.spec));
    this.#sources = gathered(run.sources, rows);
    this.stages = groupsOf(model, granularity);
  }

  /** Numbers in one direction, S·d. */
  get size(): number {
    return this.maps.run.tokens.length * this.maps.model.spec.dModel;
  }

  /** Path sources that stand before a stage; they come first. */
  sourcesBefore(stage: number): number {
    return this.#sourceStages.filter((at) => at < stage).length;
  }

  /** How many suffixes, `logits` included, and how many paths there are. */
  counts(): { suffixes: number; paths: number } {
    const { length } = this.stages;
    let suffixes = 1;
    let paths = 1 + this.sourcesBefore(length);
    for (let stage = length - 1; stage >= 0; stage--) {
      const own = suffixes * this.stages[stage]!.reduce((sum, { count }) => sum + count, 0);
      suffixes += own;
      paths += own * this.sourcesBefore(stage);
    }
    return { suffixes, paths };
  }

  /** Values of the paths that end in suffixes of a stage, [P, sources before it], from their directions. */
  async valuesOf(directions: FloatTensor, stage: number): Promise<Float32Array> {
    const before = this.sourcesBefore(stage);
    const sources = { data: this.#sources.data.subarray(0, before * this.size), dims: [before, ...this.#sources.dims.slice(1)] };
    return (await this.maps.totals(directions, sources)).data;
  }

  /** U·Mᵀ for the group's units `from`…`to` of every direction, [P·(to − from), S, d], units of a direction together. */
  async pull(group: UnitGroup, directions: FloatTensor, from = 0, to = group.count): Promise<FloatTensor> {
    const { layer, head, kind } = group;
    switch (kind) {
      case 'head':
        return this.maps.pull({ kind, layer, head }, directions);
      case 'mlp':
        return this.maps.pull({ kind, layer }, directions);
      case 'attention':
        return this.maps.pullAttention(layer, directions);
      case 'neurons': {
        const places = Array.from({ length: directions.dims[0]! * (to - from) }, (_, place) => place);
        const rows = places.map((place) => Math.floor(place / (to - from)));
        const neurons = places.map((place) => from + (place % (to - from)));
        return this.maps.pullNeurons(layer, directions, rows, neurons);
      }
    }
  }

  /**
   * Visits the value of every path once, in batches. Directions of opened suffixes are kept while they take half of what
   * is left of `bytes`; beyond that new ones are finished at once, within the rest. So all that are kept, at every depth,
   * fit into `bytes` but for one direction a stage; while new ones join the others, both are there twice.
   */
  async visitAll(bytes: number, control: Control, visit: (values: Float32Array) => void): Promise<void> {
    const { suffixes } = this.counts();
    const limit = Math.max(1, Math.floor(bytes / (4 * this.size)));
    let done = 0;
    const take = async (directions: FloatTensor, stage: number) => {
      await control.checkpoint();
      visit(await this.valuesOf(directions, stage));
      done += directions.dims[0]!;
      control.progress(done, suffixes, 'suffixes opened');
    };
    const finish = async (alive: FloatTensor, stage: number, room: number): Promise<void> => {
      let kept = alive;
      let left = room;
      for (let at = stage - 1; at >= 0; at--) {
        const count = kept.dims[0]! * this.stages[at]!.reduce((sum, group) => sum + group.count, 0);
        const half = Math.floor(left / 2);
        const keeps = count <= half;
        const fresh: FloatTensor[] = [];
        for await (const pulled of this.#pullEach(this.stages[at]!, kept, half)) {
          await take(pulled, at);
          if (keeps) fresh.push(pulled);
          else if (at > 0) await finish(pulled, at, left - pulled.dims[0]!);
        }
        if (!keeps) continue;
        kept = joined([kept, ...fresh]);
        left -= count;
      }
    };
    visit(Float32Array.of(this.direction.bias));
    const root = this.maps.root(this.direction);
    await take(root, this.stages.length);
    await finish(root, this.stages.length, limit - 1);
  }

  /** The pulled directions of all units of a stage, in chunks of at most `most` but at least one. */
  async *#pullEach(groups: readonly UnitGroup[], directions: FloatTensor, most: number): AsyncGenerator<FloatTensor> {
    const chunk = Math.max(1, Math.min(most, Math.floor(CHUNK_BYTES / (4 * this.size))));
    const count = directions.dims[0]!;
    for (const group of groups) {
      const units = Math.min(group.count, chunk);
      const rows = Math.max(1, Math.floor(chunk / units));
      for (let row = 0; row < count; row += rows) {
        const batch = rowsOf(directions, row, Math.min(count, row + rows));
        for (let from = 0; from < group.count; from += units) yield this.pull(group, batch, from, Math.min(group.count, from + units));
      }
    }
  }
}

function groupsOf({ spec }: Model, granularity: Granularity): UnitGroup[][] {
  const stages: UnitGroup[][] = Array.from({ length: stageOf({ kind: 'logits' }, spec) }, () => []);
  const add = (kind: UnitGroup['kind'], node: Node & { layer: number }, count: number) => {
    const stage = stageOf(node, spec);
    stages[stage]!.push({ kind, layer: node.layer, head: node.kind === 'head' ? node.head : 0, stage, count });
  };
  for (let layer = 0; layer < spec.layers; layer++) {
    if (granularity === 'sublayer') add('attention', { kind: 'head', layer, head: 0 }, 1);
    else for (let head = 0; head < spec.heads; head++) add('head', { kind: 'head', layer, head }, 1);
    if (!spec.hasMlp) continue;
    if (granularity === 'neuron') add('neurons', { kind: 'mlp', layer }, spec.dMlp);
    else add('mlp', { kind: 'mlp', layer }, 1);
  }
  return stages;
}

/** Chosen items along the first axis. */
function gathered(from: FloatTensor, rows: readonly number[]): FloatTensor {
  const items = rows.map((row) => slice(from, row));
  return joined(items.map(({ data, dims }) => tensor(data, [1, ...dims])));
}

function joined(parts: readonly FloatTensor[]): FloatTensor {
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let filled = 0;
  for (const part of parts) {
    data.set(part.data, filled);
    filled += part.data.length;
  }
  return tensor(data, [parts.reduce((sum, part) => sum + part.dims[0]!, 0), ...parts[0]!.dims.slice(1)]);
}

function rowsOf(from: FloatTensor, first: number, last: number): FloatTensor {
  const dims = from.dims.slice(1);
  const size = dims.reduce((product, dim) => product * dim, 1);
  return tensor(from.data.subarray(first * size, last * size), [last - first, ...dims]);
}
