import { headTransposeGraph, mlpTransposeGraph, totalsGraph } from './graphs/frozen.ts';
import {
  attentionTransposeGraph,
  headForwardGraph,
  mlpForwardGraph,
  neuronTransposeGraph,
  neuronsGraph,
  pairsGraph,
} from './graphs/units.ts';
import type { CleanRun, Direction, Model } from './model.ts';
import type { Node } from './names.ts';
import { indices, slice, tensor, type FloatTensor, type Tensor } from './runtime.ts';

/** A node that a path goes through [M4]. */
/** A node that a path goes through [M4]. */
export type Component = Extract<Node, { kind: 'head' | 'mlp' }>;

/** The frozen maps of one run [M9], forwards and transposed, node by node, and their parts [M22]. */
export class FrozenMaps {
  constructor(
    readonly model: Model,
    readonly run: CleanRun,
  ) {}

  /** u at the last token, [1, S, d]. */
  root({ direction }: Direction): FloatTensor {
    const { dModel } = this.model.spec;
    const length = this.run.tokens.length;
    const data = new Float32Array(length * dModel);
    data.set(direction.data, data.length - dModel);
    return tensor(data, [1, length, dModel]);
  }

  /** U·Mᵀ for directions U [P, S, d]. */
  async pull(node: Component, directions: FloatTensor): Promise<FloatTensor> {
    const { layer } = node;
    const { pulled } =
      node.kind === 'head'
        ? await this.model.run(`head-transpose-${layer}`, (spec) => headTransposeGraph(spec, layer), {
            directions,
            ...this.#ofHead(node.layer, node.head),
            pattern: slice(slice(this.run.patterns, layer), node.head),
          })
        : await this.model.run(`mlp-transpose-${layer}`, (spec) => mlpTransposeGraph(spec, layer), { directions, ...this.#ofMlp(layer) });
    return pulled!;
  }

  /** U·Mᵀ for all heads of a layer together. */
  async pullAttention(layer: number, directions: FloatTensor): Promise<FloatTensor> {
    const { pulled } = await this.model.run(`attention-transpose-${layer}`, (spec) => attentionTransposeGraph(spec, layer), {
      directions,
      ...this.#ofAttention(layer),
    });
    return pulled!;
  }

  /** U·Mᵀ of direction `rows[i]` through neuron `neurons[i]`, for each i. */
  async pullNeurons(layer: number, directions: FloatTensor, rows: readonly number[], neurons: readonly number[]): Promise<FloatTensor> {
    const { pulled } = await this.model.run(`neuron-transpose-${layer}`, (spec) => neuronTransposeGraph(spec, layer), {
      directions,
      rows: indices(rows),
      neurons: indices(neurons),
      ...this.#ofMlp(layer),
    });
    return pulled!;
  }

  /** x·M for x [P, S, d]. */
  async push(node: Component, x: FloatTensor): Promise<FloatTensor> {
    const { layer } = node;
    const { out } =
      node.kind === 'head'
        ? await this.model.run(`head-forward-${layer}`, (spec) => headForwardGraph(spec, layer), { x, ...this.#ofHead(layer, node.head) })
        : await this.model.run(`mlp-forward-${layer}`, (spec) => mlpForwardGraph(spec, layer), { x, ...this.#ofMlp(layer) });
    return out!;
  }

  /** ⟨U, x·Mᵢ⟩ for every neuron i: x [S, d], directions [P, S, d], values [P, M]. */
  async neurons(layer: number, x: FloatTensor, directions: FloatTensor): Promise<FloatTensor> {
    const feeds = { x, directions, ...this.#ofMlp(layer) };
    return (await this.model.run(`neurons-${layer}`, (spec) => neuronsGraph(spec, layer), feeds))['values']!;
  }

  /** The part of ⟨U, x·M⟩ that each query takes from each key: x, direction [S, d], values [S, S]. */
  async pairs(layer: number, head: number, x: FloatTensor, direction: FloatTensor): Promise<FloatTensor> {
    const feeds = { x, direction, ...this.#ofHead(layer, head) };
    return (await this.model.run(`pairs-${layer}`, (spec) => pairsGraph(spec, layer), feeds))['values']!;
  }

  /** ⟨U, source⟩, [P, N], for directions [P, S, d] and sources [N, S, d]. */
  async totals(directions: FloatTensor, sources: FloatTensor): Promise<FloatTensor> {
    return (await this.model.run('totals', totalsGraph, { directions, sources }))['totals']!;
  }

  #ofAttention(layer: number): Record<string, Tensor | null> {
    const { patterns, inverse1 } = this.run;
    return { pattern: slice(patterns, layer), inverse: inverse1 && slice(inverse1, layer) };
  }

  #ofHead(layer: number, head: number): Record<string, Tensor | null> {
    return { head: indices([head], []), ...this.#ofAttention(layer) };
  }

  #ofMlp(layer: number): Record<string, Tensor | null> {
    const { gates, inverse2 } = this.run;
    return { gate: slice(gates!, layer), inverse: inverse2 && slice(inverse2, layer) };
  }
}
