import type { DictionarySpec } from '../dictionary.ts';
import { GraphBuilder, type Graph, type Value } from '../onnx.ts';
import type { ModelSpec, Weight } from '../spec.ts';
import { Blocks } from './blocks.ts';

/**
 * Sparse dictionaries [D1]–[D5]. T tokens, F features, K of them chosen, J directions. The graphs of a dictionary hold
 * its own weights alone and start from what it reads in the clean run, `input` [T, d]; activations, and which features
 * are active, come from that every time, since [T, F] is more to carry than to make.
 */

/** What of an explained vector is split: all of it, biases included, or what one path carries [D3]. */
export type Share = 'whole' | 'carried';

/**
 * An explained vector's reading along directions, split over features.
 * Feeds `input` [T, d]; `actual` [T, d] the vector itself; `directions` [J, T, d] at it; of a carried share `carried`
 * [T, d], what the path brings to the encoder. Gives `totals` [J, F]; `errors` [J, T] of what is left unexplained; of the
 * whole `biases` [J, T] of the decoder's bias.
 */
export function splitGraph(spec: DictionarySpec, share: Share): Graph {
  const g = new GraphBuilder(splitGraphName(share));
  const coder = new Coder(g, spec);
  const actual = g.input('actual', 'float32', ['T', spec.dModel]);
  const directions = g.input('directions', 'float32', ['J', 'T', spec.dModel]);
  const activations = coder.activations(share);
  const read = g.op('MatMul', [directions, g.op('Transpose', [coder.weight(spec.weights.decoder)], { perm: [1, 0] })]);
  g.output('totals', g.op('ReduceSum', [g.op('Mul', [read, activations]), g.ints([1])], { keepdims: 0 }), 'float32', ['J', spec.width]);
  const error = g.op('Sub', [actual, coder.decoded(activations, share)]);
  const along = (x: Value) => g.op('ReduceSum', [g.op('Mul', [directions, x]), g.ints([2])], { keepdims: 0 });
  g.output('errors', along(error), 'float32', ['J', 'T']);
  if (share === 'whole') g.output('biases', along(coder.weight(spec.weights.decoderBias)), 'float32', ['J', 'T']);
  return g.finish();
}

export function splitGraphName(share: Share): string {
  return `split-${share}`;
}

/**
 * Chosen features token by token. Feeds `input` and, of a carried share, `carried` [T, d]; `direction` [T, d]; `features`
 * int32 [K]. Gives `preactivations` and `activations` [T, K]; `values` [T, K], what they add along the direction; `weights`
 * [T, K], what one unit of a feature's pre-activation adds: 0 where it is not active.
 */
export function detailsGraph(spec: DictionarySpec, share: Share): Graph {
  const g = new GraphBuilder(detailsGraphName(share));
  const coder = new Coder(g, spec);
  const direction = g.input('direction', 'float32', ['T', spec.dModel]);
  const features = g.input('features', 'int32', ['K']);
  const chosen = (x: Value) => g.op('Gather', [x, features], { axis: 1 });
  const rows = g.op('Gather', [coder.weight(spec.weights.decoder), features], { axis: 0 });
  const read = g.op('Gemm', [direction, rows], { transB: 1 });
  g.output('preactivations', chosen(coder.pre), 'float32', ['T', 'K']);
  g.output('activations', chosen(coder.activations('whole')), 'float32', ['T', 'K']);
  g.output('values', g.op('Mul', [chosen(coder.activations(share)), read]), 'float32', ['T', 'K']);
  g.output('weights', g.op('Mul', [chosen(coder.gate), read]), 'float32', ['T', 'K']);
  return g.finish();
}

export function detailsGraphName(share: Share): string {
  return `details-${share}`;
}

/** What chosen features read and write. Feeds `features` int32 [K]; gives `encoders` and `decoders` [K, d]. */
export function featureRowsGraph(spec: DictionarySpec): Graph {
  const g = new GraphBuilder('feature-rows');
  const coder = new Coder(g, spec, false);
  const features = g.input('features', 'int32', ['K']);
  g.output('encoders', coder.centred(coder.columns(features)), 'float32', ['K', spec.dModel]);
  g.output('decoders', g.op('Gather', [coder.weight(spec.weights.decoder), features], { axis: 0 }), 'float32', ['K', spec.dModel]);
  return g.finish();
}

/**
 * Chosen features as directions at the encoder's input. Feeds `features` int32 [K], `weights` [T, K], what a unit of
 * pre-activation counts at each token; gives `directions` [K, T, d], and `own` [K], what the biases of encoder and decoder
 * bring to the pre-activations by those weights.
 */
export function featureDirectionsGraph(spec: DictionarySpec): Graph {
  const g = new GraphBuilder('feature-directions');
  const coder = new Coder(g, spec, false);
  const { encoderBias, decoderBias } = spec.weights;
  const features = g.input('features', 'int32', ['K']);
  const weights = g.op('Transpose', [g.input('weights', 'float32', ['T', 'K'])], { perm: [1, 0] });
  const encoders = coder.columns(features);
  const rows = g.op('Unsqueeze', [coder.centred(encoders), g.ints([1])]);
  g.output('directions', g.op('Mul', [g.op('Unsqueeze', [weights, g.ints([2])]), rows]), 'float32', ['K', 'T', spec.dModel]);
  let constants = g.op('Mul', [g.op('ReduceSum', [encoders, g.ints([1])], { keepdims: 0 }), g.scalar(0)]);
  if (encoderBias) constants = g.op('Add', [constants, g.op('Gather', [coder.weight(encoderBias), features], { axis: 0 })]);
  if (spec.decoderBiasInInput) {
    const column = g.op('Reshape', [coder.weight(decoderBias), g.ints([spec.dModel, 1])]);
    constants = g.op('Sub', [constants, g.op('Reshape', [g.op('MatMul', [encoders, column]), g.ints([-1])])]);
  }
  const counted = g.op('ReduceSum', [weights, g.ints([1])], { keepdims: 0 });
  g.output('own', g.op('Mul', [counted, constants]), 'float32', ['K']);
  return g.finish();
}

/**
 * What the explained vector changes by when features take other activations and the error stays [D5].
 * Feeds `input` [T, d], `features` int32 [K], `reference` [T, K]; gives `changes` [K, T, d].
 */
export function featureChangesGraph(spec: DictionarySpec): Graph {
  const g = new GraphBuilder('feature-changes');
  const coder = new Coder(g, spec);
  const features = g.input('features', 'int32', ['K']);
  const reference = g.input('reference', 'float32', ['T', 'K']);
  const own = g.op('Gather', [coder.activations('whole'), features], { axis: 1 });
  const by = g.op('Unsqueeze', [g.op('Transpose', [g.op('Sub', [reference, own])], { perm: [1, 0] }), g.ints([2])]);
  const rows = g.op('Gather', [coder.weight(spec.weights.decoder), features], { axis: 0 });
  g.output('changes', g.op('Mul', [by, g.op('Unsqueeze', [rows, g.ints([1])])]), 'float32', ['K', 'T', spec.dModel]);
  return g.finish();
}

/** Encoder and decoder as values of one graph, from the inputs `input` and `carried`. */
class Coder {
  readonly #input: Value | null;
  #pre: Value | null = null;
  #gate: Value | null = null;
  readonly #activations = new Map<Share, Value>();

  constructor(
    readonly g: GraphBuilder,
    readonly spec: DictionarySpec,
    reads = true,
  ) {
    this.#input = reads ? g.input('input', 'float32', ['T', spec.dModel]) : null;
  }

  weight({ name, stored }: Weight): Value {
    return this.g.weight(name, stored);
  }

  /** What chosen features read, [K, d]. */
  columns(features: Value): Value {
    const columns = this.g.op('Gather', [this.weight(this.spec.weights.encoder), features], { axis: 1 });
    return this.g.op('Transpose', [columns], { perm: [1, 0] });
  }

  centred(x: Value): Value {
    if (!this.spec.centred) return x;
    return this.g.op('Sub', [x, this.g.op('ReduceMean', [x, this.g.ints([-1])], { keepdims: 1 })]);
  }

  /** Pre-activations [T, F]. */
  get pre(): Value {
    if (this.#pre !== null) return this.#pre;
    const { g, spec } = this;
    const { encoder, encoderBias, decoderBias } = spec.weights;
    const centred = this.centred(this.#input!);
    const x = spec.decoderBiasInInput ? g.op('Sub', [centred, this.weight(decoderBias)]) : centred;
    const product = g.op('MatMul', [x, this.weight(encoder)]);
    return (this.#pre = encoderBias ? g.op('Add', [product, this.weight(encoderBias)]) : product);
  }

  /** 1 where a feature is active, else 0, [T, F]: activation = gate · pre-activation. */
  get gate(): Value {
    if (this.#gate !== null) return this.#gate;
    const { g, spec } = this;
    const { threshold, decoder } = spec.weights;
    const floats = (condition: Value) => g.op('Cast', [condition], { to: 1 });
    const positive = floats(g.op('Greater', [this.pre, g.scalar(0)]));
    if (spec.activation === 'relu') return (this.#gate = positive);
    if (spec.activation === 'jumprelu') {
      return (this.#gate = g.op('Mul', [positive, floats(g.op('Greater', [this.pre, this.weight(threshold!)]))]));
    }
    const ranked = spec.ranksByNorm
      ? g.op('Mul', [this.pre, g.op('ReduceL2', [this.weight(decoder), g.ints([1])], { keepdims: 0 })])
      : this.pre;
    const [values, indices] = g.ops('TopK', [ranked, g.ints([spec.k!])], 2, { axis: -1 });
    const ones = g.op('Add', [g.op('Mul', [values!, g.scalar(0)]), g.scalar(1)]);
    const among = g.op('ScatterElements', [g.op('Mul', [this.pre, g.scalar(0)]), indices!, ones], { axis: -1 });
    return (this.#gate = g.op('Mul', [positive, among]));
  }

  activations(share: Share): Value {
    const known = this.#activations.get(share);
    if (known !== undefined) return known;
    const { g, spec } = this;
    const brought = () =>
      g.op('MatMul', [this.centred(g.input('carried', 'float32', ['T', spec.dModel])), this.weight(spec.weights.encoder)]);
    const made = g.op('Mul', [share === 'whole' ? this.pre : brought(), this.gate]);
    this.#activations.set(share, made);
    return made;
  }

  decoded(activations: Value, share: Share): Value {
    const { decoder, decoderBias } = this.spec.weights;
    const product = this.g.op('MatMul', [activations, this.weight(decoder)]);
    return share === 'whole' ? this.g.op('Add', [product, this.weight(decoderBias)]) : product;
  }
}

/** The norm of an MLP's input as the model computes it. Feeds `stream` [T, d]; gives `normed` [T, d]. */
export function mlpNormGraph(spec: ModelSpec, layer: number): Graph {
  const g = new GraphBuilder(`mlp-norm-${layer}`);
  const blocks = new Blocks(g, spec);
  const dims = ['T', spec.dModel];
  g.output('normed', blocks.norm(g.input('stream', 'float32', dims), blocks.mlp(layer).norm2), 'float32', dims);
  return g.finish();
}

/**
 * The same norm frozen, and its transpose. Feeds `x` [P, S, d] and with norms `inverse` [S, 1]; gives `forwards` and
 * `backwards` [P, S, d]; `beta` [P, S], what β adds along x.
 */
export function frozenMlpNormGraph(spec: ModelSpec, layer: number): Graph {
  const g = new GraphBuilder(`frozen-mlp-norm-${layer}`);
  const blocks = new Blocks(g, spec);
  const { norm2 } = blocks.mlp(layer);
  const dims = ['P', 'S', spec.dModel];
  const x = g.input('x', 'float32', dims);
  const inverse = spec.norm === 'none' ? g.scalar(1) : g.input('inverse', 'float32', ['S', 1]);
  g.output('forwards', blocks.frozenScaled(x, norm2, inverse), 'float32', dims);
  g.output('backwards', blocks.frozenScaledTransposed(x, norm2, inverse), 'float32', dims);
  const beta = norm2.beta ? blocks.weights.vector(norm2.beta) : blocks.zeros(spec.dModel);
  g.output('beta', g.op('ReduceSum', [g.op('Mul', [x, beta]), g.ints([2])], { keepdims: 0 }), 'float32', ['P', 'S']);
  return g.finish();
}

/**
 * What a chosen feature reads of another whatever the prompt, the norm's scale apart: ⟨written, C(γ ⊙ read)⟩, the norm
 * that of the reading MLP (`layer` null: none). Feeds `decoders` [I, d], `encoders` [J, d]; gives `weights` [I, J].
 */
export function virtualWeightsGraph(spec: ModelSpec, layer: number | null): Graph {
  const g = new GraphBuilder(`virtual-weights-${layer ?? 'plain'}`);
  const blocks = new Blocks(g, spec);
  const decoders = g.input('decoders', 'float32', ['I', spec.dModel]);
  const encoders = g.input('encoders', 'float32', ['J', spec.dModel]);
  const read = layer === null ? encoders : blocks.frozenScaledTransposed(encoders, blocks.mlp(layer).norm2, g.scalar(1));
  g.output('weights', g.op('Gemm', [decoders, read], { transB: 1 }), 'float32', ['I', 'J']);
  return g.finish();
}

/** Some sources together. Feeds `sources` [N, S, d]; gives `sum` [S, d]. */
export function sumOfSourcesGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('sum-of-sources');
  const sources = g.input('sources', 'float32', ['N', 'S', spec.dModel]);
  g.output('sum', g.op('ReduceSum', [sources, g.ints([0])], { keepdims: 0 }), 'float32', ['S', spec.dModel]);
  return g.finish();
}

/**
 * What features write, through the unembedding [D6]. Feeds `decoders` [K, d], `count` int64-like int32 [1]; gives the
 * largest and the smallest logits of each, `high`, `low` [K, n] and their tokens `highTokens`, `lowTokens` [K, n] as floats.
 */
export function featureTokensGraph(spec: ModelSpec, foldNorm: boolean): Graph {
  const g = new GraphBuilder(featureTokensName(foldNorm));
  const blocks = new Blocks(g, spec);
  const decoders = g.input('decoders', 'float32', ['K', spec.dModel]);
  const count = g.op('Cast', [g.input('count', 'int32', [1])], { to: 7 });
  const read = foldNorm ? blocks.frozenScaled(decoders, spec.weights.finalNorm, g.scalar(1)) : decoders;
  const { unembed, unembedIsTransposed } = spec.weights;
  const logits = g.op('Gemm', [read, blocks.weights.stored(unembed)], unembedIsTransposed ? { transB: 1 } : {});
  for (const [name, largest] of [
    ['high', 1],
    ['low', 0],
  ] as const) {
    const [values, tokens] = g.ops('TopK', [logits, count], 2, { axis: -1, largest });
    g.output(name, values!, 'float32', ['K', 'n']);
    g.output(`${name}Tokens`, g.op('Cast', [tokens!], { to: 1 }), 'float32', ['K', 'n']);
  }
  return g.finish();
}

export function featureTokensName(foldNorm: boolean): string {
  return `feature-tokens${foldNorm ? '-folded' : ''}`;
}
