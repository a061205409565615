import { EngineError } from '../errors.ts';
import type { LayerWeights, ModelSpec, NormWeights } from '../spec.ts';
import type { TensorTable } from '../weights.ts';
import { ACTIVATIONS } from './gpt2.ts';
import { Reader, describe, everywhere, type Config } from './reader.ts';

interface LlamaSizes {
  d: number;
  heads: number;
  kvHeads: number;
  dHead: number;
  dMlp: number;
  /** of q, k and v; of the output projection; of the MLP */
  biases: { projections: boolean; output: boolean; mlp: boolean };
}

/** Hugging Face Llama and Qwen2: RMSNorm, rotary positions, shared key and value heads, gated MLP, weights [out, in]. */
export function readLlama(config: Config, tensors: TensorTable): ModelSpec {
  const reader = new Reader(config, tensors, 'model.');
  const family = config['model_type'] as 'llama' | 'qwen2';
  const sizes = readSizes(reader, family);
  const { d, heads, kvHeads, dHead, dMlp } = sizes;
  const layers = reader.size('num_hidden_layers');
  const vocabulary = reader.size('vocab_size');
  refuseVariants(reader);
  const embed = reader.weight('embed_tokens.weight', [vocabulary, d]);
  const tied = config['tie_word_embeddings'] === true;
  const spec: ModelSpec = {
    family,
    layers,
    heads,
    hasMlp: true,
    parallel: false,
    dModel: d,
    dHead,
    kvHeads,
    rotary: reader.rotary(dHead),
    windows: everywhere(layers),
    dMlp,
    vocabulary,
    context: reader.size('max_position_embeddings'),
    norm: 'rms',
    epsilon: reader.number('rms_norm_eps'),
    activation: reader.oneOf('hidden_act', ACTIVATIONS),
    attentionScale: 1 / Math.sqrt(dHead),
    weights: {
      embed,
      position: null,
      layers: Array.from({ length: layers }, (_, layer) => llamaLayer(reader, `layers.${layer}.`, sizes)),
      finalNorm: rmsOf(reader, 'norm.weight', d),
      unembed: tied ? embed : reader.weight('lm_head.weight', [vocabulary, d], { kind: 'as-is' }, ''),
      unembedIsTransposed: true,
      unembedBias: null,
    },
  };
  reader.requireAllRead(tied ? /rotary_emb\.inv_freq$|^lm_head\.weight$/ : /rotary_emb\.inv_freq$/);
  return spec;
}

function readSizes(reader: Reader, family: 'llama' | 'qwen2'): LlamaSizes {
  const { config } = reader;
  const d = reader.size('hidden_size');
  const heads = reader.size('num_attention_heads');
  const kvHeads = config['num_key_value_heads'] == null ? heads : reader.size('num_key_value_heads');
  if (heads % kvHeads !== 0) {
    throw new EngineError('bad-config', 'config.json: num_key_value_heads', `a divisor of num_attention_heads = ${heads}`, `${kvHeads}`);
  }
  if (config['head_dim'] == null && d % heads !== 0) {
    throw new EngineError('bad-config', 'config.json: hidden_size', `a multiple of num_attention_heads = ${heads}`, `${d}`);
  }
  const dHead = config['head_dim'] == null ? d / heads : reader.size('head_dim');
  const projections = family === 'qwen2' || config['attention_bias'] === true;
  const output = family === 'llama' && config['attention_bias'] === true;
  const biases = { projections, output, mlp: config['mlp_bias'] === true };
  return { d, heads, kvHeads, dHead, dMlp: reader.size('intermediate_size'), biases };
}

/** What would change the numbers and is not computed here. */
function refuseVariants(reader: Reader): void {
  reader.require('use_sliding_window', [false, null]);
  reader.require('pretraining_tp', [1, null]);
  reader.require('partial_rotary_factor', [1, null]);
  const types = reader.config['layer_types'];
  const other = Array.isArray(types) ? types.find((type) => type !== 'full_attention') : undefined;
  if (other !== undefined) throw new EngineError('unsupported', 'config.json: layer_types', '"full_attention"', describe(other));
}

function llamaLayer(reader: Reader, at: string, { d, heads, kvHeads, dHead, dMlp, biases }: LlamaSizes): LayerWeights {
  const bias = (name: string, size: number, present: boolean) => (present ? reader.weight(`${at}${name}.bias`, [size]) : null);
  const [all, shared] = [heads * dHead, kvHeads * dHead];
  return {
    norm1: rmsOf(reader, `${at}input_layernorm.weight`, d),
    q: reader.linear(`${at}self_attn.q_proj.weight`, d, all),
    k: reader.linear(`${at}self_attn.k_proj.weight`, d, shared),
    v: reader.linear(`${at}self_attn.v_proj.weight`, d, shared),
    qBias: bias('self_attn.q_proj', all, biases.projections),
    kBias: bias('self_attn.k_proj', shared, biases.projections),
    vBias: bias('self_attn.v_proj', shared, biases.projections),
    o: reader.linear(`${at}self_attn.o_proj.weight`, all, d),
    oBias: bias('self_attn.o_proj', d, biases.output),
    mlp: {
      norm2: rmsOf(reader, `${at}post_attention_layernorm.weight`, d),
      gate: reader.linear(`${at}mlp.gate_proj.weight`, d, dMlp),
      gateBias: bias('mlp.gate_proj', dMlp, biases.mlp),
      in: reader.linear(`${at}mlp.up_proj.weight`, d, dMlp),
      inBias: bias('mlp.up_proj', dMlp, biases.mlp),
      hiddenBias: null,
      out: reader.linear(`${at}mlp.down_proj.weight`, dMlp, d),
      outBias: bias('mlp.down_proj', d, biases.mlp),
    },
  };
}

function rmsOf(reader: Reader, name: string, d: number): NormWeights {
  return { gamma: reader.weight(name, [d]), beta: null };
}
