import type { Model, ModelSpec } from '../lib/engine/index.ts';
import type { Tensor } from '../lib/engine/runtime.ts';
import { stagesOf } from '../lib/engine/stages.ts';

type Feeds = Record<string, Tensor | null>;

/**
 * Floating-point operations of the matrix products that graphs execute (2 for a multiply-add), from the shapes that
 * they are fed; norms, softmax and activations are not counted. MLPs without a second gating branch.
 */
class Products {
  constructor(
    readonly spec: ModelSpec,
    readonly feeds: Feeds,
  ) {}

  dims(name: string): readonly number[] {
    return this.feeds[name]!.dims;
  }

  /** Tokens wanted of `all`. */
  wanted(all: number): number {
    return all - (this.feeds['from']?.data[0] ?? 0);
  }

  /** Rows through an MLP. */
  mlp(rows: number): number {
    return 4 * rows * this.spec.dModel * this.spec.dMlp;
  }

  /** Rows through `matrices` of the four projections of all heads. */
  projections(rows: number, matrices = 4): number {
    return 2 * rows * matrices * this.spec.dModel * this.spec.heads * this.spec.dHead;
  }

  /** Scores and mixing of `queries` against `keys` tokens, all heads. */
  attention(queries: number, keys: number): number {
    return 4 * queries * keys * this.spec.heads * this.spec.dHead;
  }

  forward(batch: number, tokens: number): number {
    return batch * this.spec.layers * (this.projections(tokens) + this.attention(tokens, tokens) + this.mlp(tokens));
  }
}

/** By the beginning of a graph's name; what is not here does next to nothing. */
const COUNTS: Record<string, (products: Products, layer: number) => number> = {
  forward(products) {
    const [batch, tokens] = products.dims('tokens') as [number, number];
    return products.forward(batch, tokens) + 2 * batch * products.spec.dModel * products.spec.vocabulary;
  },
  clean(products) {
    const [tokens] = products.dims('tokens') as [number];
    return products.forward(1, tokens) + (products.spec.layers * products.mlp(tokens)) / 2;
  },
  degrees(products) {
    const [tokens] = products.dims('input') as [number];
    let total = 0;
    for (let layer = 0; layer < products.spec.layers; layer++) {
      const carried = 2 * layer + 1;
      total += carried * (products.projections(tokens, 2) + products.attention(tokens, tokens) / 2);
      total += (carried + 1.5) * products.mlp(tokens);
    }
    return total;
  },
  'head-transpose'(products) {
    const [count, queries, d] = products.dims('directions') as [number, number, number];
    const [, keys] = products.dims('pattern') as [number, number];
    return 2 * count * products.spec.dHead * (queries * d + queries * keys + keys * d);
  },
  'mlp-transpose'(products) {
    const [count, tokens] = products.dims('directions') as [number, number];
    return products.mlp(count * tokens);
  },
  totals(products) {
    const [count, tokens, d] = products.dims('directions') as [number, number, number];
    return 2 * count * tokens * d * products.dims('sources')[0]!;
  },
  'head-effect-all'(products) {
    const [count, tokens, d] = products.dims('changeIn') as [number, number, number];
    return 2 * count * tokens * products.spec.dHead * (4 * d + 2 * tokens);
  },
  'head-effect-last'(products) {
    const [count, tokens, d] = products.dims('changeIn') as [number, number, number];
    return 2 * count * d * (4 * products.spec.dHead + 2 * tokens);
  },
  'head-patch-all'(products) {
    const [writers, tokens, d] = products.dims('change') as [number, number, number];
    return products.projections(writers * tokens, 3) + writers * products.attention(tokens, tokens) + patched(products, tokens, d);
  },
  'head-patch'(products) {
    const [writers, tokens, d] = products.dims('change') as [number, number, number];
    return products.projections((writers + 2) * tokens, 1) + writers * products.attention(tokens, tokens) + patched(products, tokens, d);
  },
  'mlp-effect'(products) {
    const [count, tokens] = products.dims('changeIn') as [number, number];
    return products.mlp(count * products.wanted(tokens));
  },
  downstream(products, index) {
    const [count, tokens] = products.dims('stream') as [number, number];
    const wanted = products.wanted(tokens);
    const { attention, mlp } = stagesOf(products.spec)[index]!;
    const mixing = products.projections(tokens + wanted, 2) + products.attention(wanted, tokens);
    return count * (Number(attention) * mixing + Number(mlp) * products.mlp(wanted));
  },
  'attribution-pair'(products) {
    const [, tokens] = products.dims('tokens') as [number, number];
    const { layers, heads, dHead, dModel } = products.spec;
    const changes = 2 * layers * heads * tokens * dHead * dModel;
    return products.forward(2, tokens) + changes + backward(products, tokens);
  },
};

/** Gradients at inputs alone, each head's three also apart, and scores against every writer. */
function backward(products: Products, tokens: number): number {
  const { layers, heads, dModel } = products.spec;
  const back = layers * (products.projections(tokens, 7) + 2 * products.attention(tokens, tokens) + products.mlp(tokens));
  let scores = 0;
  for (let layer = 0; layer < layers; layer++) scores += 2 * tokens * dModel * (3 * heads + 1) * (1 + layer * (heads + 1));
  return back + scores;
}

/** The outputs of patched heads, each back to the stream. */
function patched(products: Products, tokens: number, d: number): number {
  return 2 * products.dims('edges')[0]! * products.wanted(tokens) * products.spec.dHead * d;
}

/** Adds up what a model's graphs execute while `work` runs. */
export async function countFlops(model: Model, work: () => Promise<unknown>): Promise<number> {
  const run = model.run.bind(model);
  let total = 0;
  model.run = (name, make, feeds, into) => {
    const [, start, layer, end] = /^(.*?)-(\d+)(-[a-z]+)?$/.exec(name) ?? [name, name];
    const count = COUNTS[`${start}${layer === undefined ? '' : (end ?? '')}`] ?? COUNTS[start!];
    total += count?.(new Products(model.spec, feeds), Number(layer)) ?? 0;
    return run(name, make, feeds, into);
  };
  try {
    await work();
  } finally {
    model.run = run;
  }
  return total;
}
