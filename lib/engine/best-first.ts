import { groupBy } from './collections.ts';
import type { Expansion, UnitGroup } from './expansion.ts';
import type { Control } from './model.ts';
import { printNode, type Node } from './names.ts';
import { slice, tensor, type FloatTensor } from './runtime.ts';
import { sourceRows } from './spec.ts';
import { PRODUCT_ROWS } from './trie.ts';

/** A suffix of a best-first search over units: its total [M12] is known before it is opened. */
interface Closed {
  group: UnitGroup;
  unit: number;
  parent: FloatTensor;
  total: number;
}

/** How a search ended; totals are in the metric's unit. */
export interface Found {
  /** suffixes opened, `logits` included */
  opened: number;
  /** Σ total of the suffixes left closed: with the values that were visited it makes the metric [M12] */
  closedTotal: number;
  /** Σ|total| and the largest |total| of the suffixes left closed */
  closedMass: number;
  largestClosed: number;
}

/** Suffixes chosen before the frontier is sorted again. */
const BATCH = 64;

/**
 * Opens suffixes with the largest |total| first [M12] until `budget` of them are open, visiting the values of all paths
 * that start at a source of theirs. Only suffixes that the budget could still reach are remembered one by one. As many
 * are pulled at once as have {@link PRODUCT_ROWS} rows together, however long the prompt.
 */
export async function visitBest(
  expansion: Expansion,
  budget: number,
  control: Control,
  visit: (values: Float32Array) => void,
): Promise<Found> {
  const frontier = new Frontier(budget);
  const { maps, direction, stages } = expansion;
  const atOnce = Math.max(1, Math.ceil(PRODUCT_ROWS / maps.run.tokens.length));
  let opened = 0;
  const open = async (directions: FloatTensor, stage: number) => {
    visit(await expansion.valuesOf(directions, stage));
    await addChildren(expansion, directions, stage, frontier);
    opened += directions.dims[0]!;
    control.progress(opened, budget, 'suffixes opened');
  };
  visit(Float32Array.of(direction.bias));
  await open(maps.root(direction), stages.length);
  while (opened < budget) {
    const batch = frontier.take(Math.min(BATCH, opened, budget - opened));
    if (batch.length === 0) break;
    for (const alike of groupBy(batch, ({ group }) => group).values()) {
      for (let from = 0; from < alike.length; from += atOnce) {
        await control.checkpoint();
        const together = alike.slice(from, from + atOnce);
        await open(await pulled(expansion, together), together[0]!.group.stage);
      }
    }
  }
  return { opened, ...frontier.closed() };
}

/** Directions of suffixes that start in the same group. */
async function pulled(expansion: Expansion, suffixes: readonly Closed[]): Promise<FloatTensor> {
  const { group, parent } = suffixes[0]!;
  const data = new Float32Array(suffixes.length * expansion.size);
  suffixes.forEach((suffix, index) => data.set(suffix.parent.data, index * expansion.size));
  const directions = tensor(data, [suffixes.length, ...parent.dims]);
  if (group.kind !== 'neurons') return expansion.pull(group, directions);
  const rows = suffixes.map((_, index) => index);
  const neurons = suffixes.map(({ unit }) => unit);
  return expansion.maps.pullNeurons(group.layer, directions, rows, neurons);
}

async function addChildren({ maps, stages }: Expansion, directions: FloatTensor, stage: number, frontier: Frontier): Promise<void> {
  const earlier = stages.slice(0, stage).flat();
  if (earlier.length === 0) return;
  const { run, model } = maps;
  const totals = await maps.totals(directions, run.sources);
  const rows = sourceRows(model.spec);
  const width = totals.dims[1]!;
  const { heads } = model.spec;
  const parents = Array.from({ length: directions.dims[0]! }, (_, index) => slice(directions, index));
  for (const group of earlier) {
    const { kind, layer, head } = group;
    const neurons = kind === 'neurons' ? (await maps.neurons(layer, slice(run.beforeMlp!, layer), directions)).data : null;
    for (const [index, parent] of parents.entries()) {
      const at = (node: Node) => totals.data[index * width + rows.get(printNode(node))!]!;
      const add = (total: number, unit = 0) => frontier.add({ group, unit, parent, total });
      if (neurons) neurons.subarray(index * group.count, (index + 1) * group.count).forEach(add);
      else if (kind === 'head') add(at({ kind, layer, head }));
      else if (kind === 'mlp') add(at({ kind, layer }));
      else add(Array.from({ length: heads }, (_, one) => at({ kind: 'head', layer, head: one })).reduce((sum, total) => sum + total, 0));
    }
  }
}

/** The suffixes that may still be opened: the `limit` largest; of the others only sums are kept. */
class Frontier {
  #waiting: Closed[] = [];
  #least = 0;
  #total = 0;
  #mass = 0;
  #largest = 0;

  constructor(readonly limit: number) {}

  add(suffix: Closed): void {
    if (Math.abs(suffix.total) < this.#least) this.#drop(suffix);
    else this.#waiting.push(suffix);
    if (this.#waiting.length > 2 * this.limit) this.#prune();
  }

  /** The `count` largest. */
  take(count: number): Closed[] {
    this.#prune();
    return this.#waiting.splice(0, count);
  }

  closed(): Omit<Found, 'opened'> {
    for (const suffix of this.#waiting.splice(0)) this.#drop(suffix);
    return { closedTotal: this.#total, closedMass: this.#mass, largestClosed: this.#largest };
  }

  #prune(): void {
    this.#waiting.sort((a, b) => Math.abs(b.total) - Math.abs(a.total));
    for (const suffix of this.#waiting.splice(this.limit)) this.#drop(suffix);
    if (this.#waiting.length === this.limit) this.#least = Math.abs(this.#waiting.at(-1)!.total);
  }

  #drop({ total }: Closed): void {
    this.#total += total;
    this.#mass += Math.abs(total);
    this.#largest = Math.max(this.#largest, Math.abs(total));
  }
}
