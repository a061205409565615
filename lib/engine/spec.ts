import { printNode, stageOf, type Node, type Shape } from './names.ts';
import type { StoredTensor } from './weights.ts';

/**
 * What a model is, whatever family it comes from: sizes, norms, activation, and where each weight lies.
 * Row vectors: an activation is [S, d] and a weight acts on the right.
 */
export interface ModelSpec extends Shape {
  family: string;
  /** d, width of the residual stream */
  dModel: number;
  /** dh, width of a head */
  dHead: number;
  /** width of an MLP's hidden layer, 0 without MLPs */
  dMlp: number;
  vocabulary: number;
  /** most tokens a prompt may have */
  context: number;
  norm: 'none' | 'layer' | 'rms';
  /** ε under the root of the norm */
  epsilon: number;
  activation: Activation | null;
  /** attention scores are q·k times this */
  attentionScale: number;
  /** heads that share one key and one value head stand side by side: heads / kvHeads of them */
  kvHeads: number;
  /** null = positions are learned, or there are none */
  rotary: Rotary | null;
  /** for each layer how many tokens back a query looks, itself included; null = all */
  windows: readonly (number | null)[];
  weights: WeightMap;
}

/** Queries and keys are turned by position: channel i of the first `dims` with channel i + dims/2. */
export interface Rotary {
  dims: number;
  base: number;
}

export type Activation = 'relu' | 'gelu' | 'gelu_new' | 'silu';

/**
 * How a stored tensor becomes the weight that the graphs want:
 * `as-is`; `columns` keeps columns from…to of a [rows, columns] matrix or of a vector;
 * `fuse-heads` turns [H, d, dh] into [d, H·dh]; `flatten` joins all axes but the last
 * ([H, dh, d] into [H·dh, d]) or makes [H, dh] a vector; `transpose` is a matrix stored [outer, inner], left as it is
 * and taken flipped by products; `thirds` takes part 0, 1 or 2 of each head from such a matrix [H·3·dh, d], or from a
 * vector [H·3·dh].
 */
export type Layout =
  | { kind: 'as-is' }
  | { kind: 'columns'; from: number; to: number }
  | { kind: 'fuse-heads' }
  | { kind: 'flatten' }
  | { kind: 'transpose' }
  | { kind: 'thirds'; part: 0 | 1 | 2 };

export interface Weight {
  name: string;
  stored: StoredTensor;
  layout: Layout;
}

export interface NormWeights {
  /** [d]; null = ones */
  gamma: Weight | null;
  /** [d]; null = zeros */
  beta: Weight | null;
}

export interface LayerWeights {
  norm1: NormWeights;
  /** [d, H·dh]; k and v [d, kvHeads·dh] */
  q: Weight;
  k: Weight;
  v: Weight;
  /** as wide as their matrices; null = zeros, for all biases */
  qBias: Weight | null;
  kBias: Weight | null;
  vBias: Weight | null;
  /** [H·dh, d] */
  o: Weight;
  /** [d] */
  oBias: Weight | null;
  mlp: MlpWeights | null;
}

export interface MlpWeights {
  norm2: NormWeights;
  /** [d, dMlp]; null where the activation works on `in` itself, else the hidden layer is act(x·gate) ⊙ (x·in) */
  gate: Weight | null;
  gateBias: Weight | null;
  /** [d, dMlp] */
  in: Weight;
  inBias: Weight | null;
  /** [dMlp], added to the hidden layer behind activation and gating */
  hiddenBias: Weight | null;
  /** [dMlp, d] */
  out: Weight;
  outBias: Weight | null;
}

export interface WeightMap {
  /** [V, d] */
  embed: Weight;
  /** [context, d]; null without learned positions */
  position: Weight | null;
  layers: LayerWeights[];
  finalNorm: NormWeights;
  /** [V, d] with layout `as-is`, or [d, V] */
  unembed: Weight;
  unembedIsTransposed: boolean;
  /** [V]; null = zeros */
  unembedBias: Weight | null;
}

/**
 * The sources of the factorized view [M7], in the order in which they enter the stream: `input`, then for
 * each layer its heads, `a{l}.b`, `m{l}` (without its own bias), `m{l}.b`. `logits.b` is not in the stream.
 */
export function streamSources(spec: ModelSpec): Node[] {
  const nodes: Node[] = [{ kind: 'input' }];
  for (let layer = 0; layer < spec.layers; layer++) {
    for (let head = 0; head < spec.heads; head++) nodes.push({ kind: 'head', layer, head });
    nodes.push({ kind: 'attn-bias', layer });
    if (spec.hasMlp) nodes.push({ kind: 'mlp', layer }, { kind: 'mlp-bias', layer });
  }
  return nodes;
}

/** Row of each source in the stacked outputs of {@link streamSources}, by name. */
export function sourceRows(spec: ModelSpec): ReadonlyMap<string, number> {
  return new Map(streamSources(spec).map((node, row) => [printNode(node), row]));
}

/** Number of stages [M2]: one a layer, two with MLPs. */
export function stageCount(spec: ModelSpec): number {
  return stageOf({ kind: 'logits' }, spec);
}
