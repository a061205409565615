import { EngineError } from '../errors.ts';
import type { Activation, LayerWeights, Layout, ModelSpec } from '../spec.ts';
import type { TensorTable } from '../weights.ts';
import { Reader, everywhere, normOf, type Config } from './reader.ts';

export const ACTIVATIONS: Record<string, Activation> = {
  gelu_new: 'gelu_new',
  gelu_pytorch_tanh: 'gelu_new',
  gelu: 'gelu',
  relu: 'relu',
  silu: 'silu',
  swish: 'silu',
};

/** Hugging Face GPT-2: fused `c_attn` [d, 3d], weights stored [in, out], tensors with or without `transformer.`. */
export function readGpt2(config: Config, tensors: TensorTable): ModelSpec {
  const prefix = tensors.has('transformer.wte.weight') ? 'transformer.' : '';
  const reader = new Reader(config, tensors, prefix);
  const d = reader.size('n_embd');
  const layers = reader.size('n_layer');
  const heads = reader.size('n_head');
  if (d % heads !== 0) throw new EngineError('bad-config', 'config.json: n_embd', `a multiple of n_head = ${heads}`, `${d}`);
  const vocabulary = reader.size('vocab_size');
  const context = reader.size('n_positions', 'n_ctx');
  const dMlp = config['n_inner'] == null ? 4 * d : reader.size('n_inner');
  reader.require('scale_attn_by_inverse_layer_idx', [false]);
  reader.require('add_cross_attention', [false]);
  const scaled = config['scale_attn_weights'] !== false;
  const embed = reader.weight('wte.weight', [vocabulary, d]);
  const untied = config['tie_word_embeddings'] === false;
  const spec: ModelSpec = {
    family: 'gpt2',
    layers,
    heads,
    hasMlp: true,
    parallel: false,
    dModel: d,
    dHead: d / heads,
    kvHeads: heads,
    rotary: null,
    windows: everywhere(layers),
    dMlp,
    vocabulary,
    context,
    norm: 'layer',
    epsilon: reader.number('layer_norm_epsilon'),
    activation: reader.oneOf('activation_function', ACTIVATIONS),
    attentionScale: scaled ? 1 / Math.sqrt(d / heads) : 1,
    weights: {
      embed,
      position: reader.weight('wpe.weight', [context, d]),
      layers: Array.from({ length: layers }, (_, layer) => gpt2Layer(reader, layer, d, dMlp)),
      finalNorm: normOf(reader, 'ln_f.weight', 'ln_f.bias', d),
      unembed: untied ? reader.weight('lm_head.weight', [vocabulary, d], { kind: 'as-is' }, '') : embed,
      unembedIsTransposed: true,
      unembedBias: null,
    },
  };
  reader.requireAllRead(/(^|\.)(attn\.(bias|masked_bias)|lm_head\.weight)$/);
  return spec;
}

function gpt2Layer(reader: Reader, layer: number, d: number, dMlp: number): LayerWeights {
  const at = `h.${layer}.`;
  const part = (index: number): Layout => ({ kind: 'columns', from: index * d, to: (index + 1) * d });
  const matrix = (index: number) => reader.weight(`${at}attn.c_attn.weight`, [d, 3 * d], part(index));
  const bias = (index: number) => reader.weight(`${at}attn.c_attn.bias`, [3 * d], part(index));
  return {
    norm1: normOf(reader, `${at}ln_1.weight`, `${at}ln_1.bias`, d),
    q: matrix(0),
    k: matrix(1),
    v: matrix(2),
    qBias: bias(0),
    kBias: bias(1),
    vBias: bias(2),
    o: reader.weight(`${at}attn.c_proj.weight`, [d, d]),
    oBias: reader.weight(`${at}attn.c_proj.bias`, [d]),
    mlp: {
      norm2: normOf(reader, `${at}ln_2.weight`, `${at}ln_2.bias`, d),
      gate: null,
      gateBias: null,
      in: reader.weight(`${at}mlp.c_fc.weight`, [d, dMlp]),
      inBias: reader.weight(`${at}mlp.c_fc.bias`, [dMlp]),
      hiddenBias: null,
      out: reader.weight(`${at}mlp.c_proj.weight`, [dMlp, d]),
      outBias: reader.weight(`${at}mlp.c_proj.bias`, [d]),
    },
  };
}
