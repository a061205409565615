import { EngineError } from './errors.ts';
import type { Activation, LayerWeights, Layout, ModelSpec, NormWeights, Weight } from './spec.ts';
import type { TensorTable } from './weights.ts';

/** One row a family: what its config and tensors mean as a {@link ModelSpec}. */

type Config = Record<string, unknown>;

/** One row a family: how to recognise its config, and how to read it. */
interface Family {
  name: string;
  recognises(config: Config): boolean;
  read(config: Config, tensors: TensorTable): ModelSpec;
}

const FAMILIES: readonly Family[] = [
  { name: 'gpt2', recognises: (config) => config['model_type'] === 'gpt2', read: readGpt2 },
  {
    name: 'transformer-lens',
    recognises: (config) => config['model_type'] === undefined && 'n_layers' in config,
    read: readTransformerLens,
  },
];

/** @throws EngineError `unsupported` or `bad-config` naming the field, `bad-weights` naming the tensor */
export function readSpec(config: unknown, tensors: TensorTable): ModelSpec {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new EngineError('bad-config', 'config.json', 'a JSON object', JSON.stringify(config)?.slice(0, 80) ?? 'nothing');
  }
  const family = FAMILIES.find((candidate) => candidate.recognises(config as Config));
  if (!family) {
    const expected = `a supported family: model_type "gpt2", or a TransformerLens config with n_layers`;
    const got = 'model_type' in config ? `model_type ${JSON.stringify(config.model_type)}` : 'no model_type and no n_layers';
    throw new EngineError('unsupported', 'config.json', expected, got);
  }
  return family.read(config as Config, tensors);
}

class Reader {
  constructor(
    readonly config: Config,
    readonly tensors: TensorTable,
    readonly prefix = '',
  ) {}

  size(...names: string[]): number {
    const name = names.find((candidate) => this.config[candidate] !== undefined) ?? names[0]!;
    const value = this.config[name];
    if (!Number.isSafeInteger(value) || (value as number) < 1) {
      throw new EngineError('bad-config', `config.json: ${name}`, 'a positive whole number', describe(value));
    }
    return value as number;
  }

  number(name: string): number {
    const value = this.config[name];
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
      throw new EngineError('bad-config', `config.json: ${name}`, 'a number that is not negative', describe(value));
    }
    return value;
  }

  oneOf<T extends string>(name: string, known: Record<string, T>): T {
    const value = this.config[name];
    if (typeof value !== 'string' || !Object.hasOwn(known, value)) {
      throw new EngineError('unsupported', `config.json: ${name}`, Object.keys(known).join(', '), describe(value));
    }
    return known[value]!;
  }

  /** Refuses a feature that would change the numbers. Absent counts as the first of `allowed`. */
  require(name: string, allowed: readonly unknown[]): void {
    const value = this.config[name];
    if (value !== undefined && !allowed.includes(value)) {
      throw new EngineError('unsupported', `config.json: ${name}`, allowed.map(describe).join(' or '), describe(value));
    }
  }

  weight(name: string, shape: readonly number[], layout: Layout = { kind: 'as-is' }): Weight {
    const full = this.prefix + name;
    const stored = this.tensors.get(full);
    if (!stored) throw new EngineError('bad-weights', `tensor ${full}`, `shape [${shape.join()}]`, 'no such tensor');
    if (stored.shape.join() !== shape.join()) {
      throw new EngineError('bad-weights', `tensor ${full}`, `shape [${shape.join()}]`, `[${stored.shape.join()}]`);
    }
    return { name: full, stored, layout };
  }

  optional(name: string, shape: readonly number[]): Weight | null {
    return this.tensors.has(this.prefix + name) ? this.weight(name, shape) : null;
  }
}

function describe(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

const GPT2_ACTIVATIONS: Record<string, Activation> = {
  gelu_new: 'gelu_new',
  gelu_pytorch_tanh: 'gelu_new',
  gelu: 'gelu',
  relu: 'relu',
  silu: 'silu',
  swish: 'silu',
};

/** Hugging Face GPT-2: fused `c_attn` [d, 3d], weights stored [in, out], tensors with or without `transformer.`. */
function readGpt2(config: Config, tensors: TensorTable): ModelSpec {
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
  return {
    family: 'gpt2',
    layers,
    heads,
    hasMlp: true,
    parallel: false,
    dModel: d,
    dHead: d / heads,
    dMlp,
    vocabulary,
    context,
    norm: 'layer',
    epsilon: reader.number('layer_norm_epsilon'),
    activation: reader.oneOf('activation_function', GPT2_ACTIVATIONS),
    attentionScale: scaled ? 1 / Math.sqrt(d / heads) : 1,
    weights: {
      embed,
      position: reader.weight('wpe.weight', [context, d]),
      layers: Array.from({ length: layers }, (_, layer) => gpt2Layer(reader, layer, d, dMlp)),
      finalNorm: normOf(reader, 'ln_f.weight', 'ln_f.bias', d),
      unembed: untied ? new Reader(config, tensors).weight('lm_head.weight', [vocabulary, d]) : embed,
      unembedIsTransposed: true,
      unembedBias: null,
    },
  };
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
      in: reader.weight(`${at}mlp.c_fc.weight`, [d, dMlp]),
      inBias: reader.weight(`${at}mlp.c_fc.bias`, [dMlp]),
      out: reader.weight(`${at}mlp.c_proj.weight`, [dMlp, d]),
      outBias: reader.weight(`${at}mlp.c_proj.bias`, [d]),
    },
  };
}

function normOf(reader: Reader, gamma: string, beta: string | null, d: number): NormWeights {
  return { gamma: reader.weight(gamma, [d]), beta: beta === null ? null : reader.weight(beta, [d]) };
}

const LENS_ACTIVATIONS: Record<string, Activation> = {
  relu: 'relu',
  gelu: 'gelu',
  gelu_new: 'gelu_new',
  gelu_pytorch_tanh: 'gelu_new',
  silu: 'silu',
};

type LensNorm = 'LN' | 'LNPre' | 'RMS' | 'RMSPre' | null;

/** TransformerLens: per-head tensors `blocks.0.attn.W_Q` [H, d, dh]; `Pre` norms have their weights folded away. */
function readTransformerLens(config: Config, tensors: TensorTable): ModelSpec {
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
  reader.require('positional_embedding_type', ['standard']);
  for (const name of ['parallel_attn_mlp', 'gated_mlp', 'use_local_attn', 'post_embedding_ln', 'use_normalization_before_and_after']) {
    reader.require(name, [false, null]);
  }
  reader.require('attention_dir', ['causal']);
  for (const name of ['final_rms', 'attn_scores_soft_cap', 'n_key_value_heads', 'num_experts']) {
    reader.require(name, [false, null, -1, name === 'n_key_value_heads' ? heads : null]);
  }
  const type = config['normalization_type'] as LensNorm;
  const scaled = config['use_attn_scale'] !== false;
  const scale = typeof config['attn_scale'] === 'number' && config['attn_scale'] > 0 ? config['attn_scale'] : Math.sqrt(dHead);
  return {
    family: 'transformer-lens',
    layers,
    heads,
    hasMlp,
    parallel: false,
    dModel: d,
    dHead,
    dMlp,
    vocabulary,
    context,
    norm: type === null ? 'none' : type.startsWith('LN') ? 'layer' : 'rms',
    epsilon: type === null ? 0 : 'eps' in config ? reader.number('eps') : 1e-5,
    activation: hasMlp ? reader.oneOf('act_fn', LENS_ACTIVATIONS) : null,
    attentionScale: scaled ? 1 / scale : 1,
    weights: {
      embed: reader.weight('embed.W_E', [vocabulary, d]),
      position: reader.weight('pos_embed.W_pos', [context, d]),
      layers: Array.from({ length: layers }, (_, layer) => lensLayer(reader, layer, { d, heads, dHead, dMlp, type })),
      finalNorm: lensNorm(reader, 'ln_final', type, d),
      unembed: reader.weight('unembed.W_U', [d, vocabulary]),
      unembedIsTransposed: false,
      unembedBias: reader.optional('unembed.b_U', [vocabulary]),
    },
  };
}

interface LensSizes {
  d: number;
  heads: number;
  dHead: number;
  dMlp: number;
  type: LensNorm;
}

function lensLayer(reader: Reader, layer: number, { d, heads, dHead, dMlp, type }: LensSizes): LayerWeights {
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
    mlp:
      dMlp === 0
        ? null
        : {
            norm2: lensNorm(reader, `${at}ln2`, type, d),
            in: reader.weight(`${at}mlp.W_in`, [d, dMlp]),
            inBias: reader.weight(`${at}mlp.b_in`, [dMlp]),
            out: reader.weight(`${at}mlp.W_out`, [dMlp, d]),
            outBias: reader.weight(`${at}mlp.b_out`, [d]),
          },
  };
}

function lensNorm(reader: Reader, name: string, type: LensNorm, d: number): NormWeights {
  if (type === null || type.endsWith('Pre')) return { gamma: null, beta: null };
  return normOf(reader, `${name}.w`, type === 'LN' ? `${name}.b` : null, d);
}

function missing(field: string, expected: string): EngineError {
  return new EngineError('bad-config', `config.json: ${field}`, expected, 'nothing');
}
