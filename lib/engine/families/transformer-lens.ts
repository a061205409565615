import type { Activation, LayerWeights, MlpWeights, ModelSpec, NormWeights } from '../spec.ts';
import type { TensorTable } from '../weights.ts';
import { Reader, everywhere, missing, normOf, rotaryOf, type Config } from './reader.ts';

const LENS_ACTIVATIONS: Record<string, Activation> = {
  relu: 'relu',
  gelu: 'gelu',
  gelu_new: 'gelu_new',
  gelu_pytorch_tanh: 'gelu_new',
  silu: 'silu',
};

type LensNorm = 'LN' | 'LNPre' | 'RMS' | 'RMSPre' | null;

/** TransformerLens: per-head tensors `blocks.0.attn.W_Q` [H, d, dh]; `Pre` norms have their weights folded away. */
export function readTransformerLens(config: Config, tensors: TensorTable): ModelSpec {
  const reader = new Reader(config, tensors);
  const d = reader.size('d_model');
  const layers = reader.size('n_layers');
  const heads = reader.size('n_heads');
  const dHead = reader.size('d_head');
  const hasMlp = config['attn_only'] !== true;
  const dMlp = hasMlp ? reader.size('d_mlp') : 0;
  const vocabulary = reader.size('d_vocab');
  const context = reader.size('n_ctx');
  reader.require('normalization_type', ['LN', 'LNPre', 'RMS', 'RMSPre', null]);
  if (!('normalization_type' in config)) throw missing('normalization_type', 'LN, LNPre, RMS, RMSPre or null');
  reader.require('positional_embedding_type', ['standard', 'rotary']);
  for (const name of [
    'use_local_attn',
    'post_embedding_ln',
    'use_normalization_before_and_after',
    'rotary_adjacent_pairs',
    'use_NTK_by_parts_rope',
    'scale_attn_by_inverse_layer_idx',
  ]) {
    reader.require(name, [false, null]);
  }
  const rotary = config['positional_embedding_type'] === 'rotary';
  reader.require('attention_dir', ['causal']);
  for (const name of ['final_rms', 'attn_scores_soft_cap', 'output_logits_soft_cap', 'n_key_value_heads', 'num_experts']) {
    reader.require(name, [false, null, -1, name === 'n_key_value_heads' ? heads : null]);
  }
  const type = config['normalization_type'] as LensNorm;
  const scaled = config['use_attn_scale'] !== false;
  const scale = typeof config['attn_scale'] === 'number' && config['attn_scale'] > 0 ? config['attn_scale'] : Math.sqrt(dHead);
  const spec: ModelSpec = {
    family: 'transformer-lens',
    layers,
    heads,
    hasMlp,
    parallel: hasMlp && config['parallel_attn_mlp'] === true,
    dModel: d,
    dHead,
    kvHeads: heads,
    rotary: rotary ? rotaryOf(reader.size('rotary_dim'), 'rotary_base' in config ? reader.number('rotary_base') : 10_000) : null,
    windows: everywhere(layers),
    dMlp,
    vocabulary,
    context,
    norm: type === null ? 'none' : type.startsWith('LN') ? 'layer' : 'rms',
    epsilon: type === null ? 0 : 'eps' in config ? reader.number('eps') : 1e-5,
    activation: hasMlp ? reader.oneOf('act_fn', LENS_ACTIVATIONS) : null,
    attentionScale: scaled ? 1 / scale : 1,
    weights: {
      embed: reader.weight('embed.W_E', [vocabulary, d]),
      position: rotary ? null : reader.weight('pos_embed.W_pos', [context, d]),
      layers: Array.from({ length: layers }, (_, layer) =>
        lensLayer(reader, layer, { d, heads, dHead, dMlp, type, gated: config['gated_mlp'] === true }),
      ),
      finalNorm: lensNorm(reader, 'ln_final', type, d),
      unembed: reader.weight('unembed.W_U', [d, vocabulary]),
      unembedIsTransposed: false,
      unembedBias: reader.optional('unembed.b_U', [vocabulary]),
    },
  };
  reader.requireAllRead(/\.attn\.(mask|IGNORE|rotary_sin|rotary_cos)$/);
  return spec;
}

interface LensSizes {
  d: number;
  heads: number;
  dHead: number;
  dMlp: number;
  type: LensNorm;
  gated: boolean;
}

function lensLayer(reader: Reader, layer: number, sizes: LensSizes): LayerWeights {
  const { d, heads, dHead, dMlp, type } = sizes;
  const at = `blocks.${layer}.`;
  const matrix = (name: string) => reader.weight(`${at}attn.W_${name}`, [heads, d, dHead], { kind: 'fuse-heads' });
  const bias = (name: string) => reader.weight(`${at}attn.b_${name}`, [heads, dHead], { kind: 'flatten' });
  return {
    norm1: lensNorm(reader, `${at}ln1`, type, d),
    q: matrix('Q'),
    k: matrix('K'),
    v: matrix('V'),
    qBias: bias('Q'),
    kBias: bias('K'),
    vBias: bias('V'),
    o: reader.weight(`${at}attn.W_O`, [heads, dHead, d], { kind: 'flatten' }),
    oBias: reader.weight(`${at}attn.b_O`, [d]),
    mlp: dMlp === 0 ? null : lensMlp(reader, at, sizes),
  };
}

/** `b_in` of a gated MLP is added behind the product: (act(x·W_gate) ⊙ (x·W_in) + b_in)·W_out + b_out. */
function lensMlp(reader: Reader, at: string, { d, dMlp, type, gated }: LensSizes): MlpWeights {
  const bias = reader.optional(`${at}mlp.b_in`, [dMlp]);
  return {
    norm2: lensNorm(reader, `${at}ln2`, type, d),
    gate: gated ? reader.weight(`${at}mlp.W_gate`, [d, dMlp]) : null,
    gateBias: null,
    in: reader.weight(`${at}mlp.W_in`, [d, dMlp]),
    inBias: gated ? null : bias,
    hiddenBias: gated ? bias : null,
    out: reader.weight(`${at}mlp.W_out`, [dMlp, d]),
    outBias: reader.optional(`${at}mlp.b_out`, [d]),
  };
}

function lensNorm(reader: Reader, name: string, type: LensNorm, d: number): NormWeights {
  if (type === null || type.endsWith('Pre')) return { gamma: null, beta: null };
  return normOf(reader, `${name}.w`, type === 'LN' ? `${name}.b` : null, d);
}
