import { EngineError } from '../errors.ts';
import type { Activation, LayerWeights, Layout, ModelSpec } from '../spec.ts';
import type { TensorTable } from '../weights.ts';
import { ACTIVATIONS } from './gpt2.ts';
import { Reader, everywhere, normOf, type Config } from './reader.ts';

/** Hugging Face GPT-NeoX and Pythia: query, key and value of a head side by side, blocks parallel or sequential. */
export function readNeoX(config: Config, tensors: TensorTable): ModelSpec {
  const reader = new Reader(config, tensors, 'gpt_neox.');
  const d = reader.size('hidden_size');
  const heads = reader.size('num_attention_heads');
  if (d % heads !== 0)
    throw new EngineError('bad-config', 'config.json: hidden_size', `a multiple of num_attention_heads = ${heads}`, `${d}`);
  const dHead = d / heads;
  const layers = reader.size('num_hidden_layers');
  const vocabulary = reader.size('vocab_size');
  const dMlp = reader.size('intermediate_size');
  const biased = config['attention_bias'] !== false;
  const tied = config['tie_word_embeddings'] === true;
  const embed = reader.weight('embed_in.weight', [vocabulary, d]);
  const spec: ModelSpec = {
    family: 'gpt-neox',
    layers,
    heads,
    hasMlp: true,
    parallel: config['use_parallel_residual'] !== false,
    dModel: d,
    dHead,
    kvHeads: heads,
    rotary: reader.rotary(Math.trunc(dHead * share(config)), { partial: true, bases: ['rotary_emb_base', 'rope_theta'] }),
    windows: everywhere(layers),
    dMlp,
    vocabulary,
    context: reader.size('max_position_embeddings'),
    norm: 'layer',
    epsilon: reader.number('layer_norm_eps'),
    activation: reader.oneOf<Activation>('hidden_act', { ...ACTIVATIONS, gelu_fast: 'gelu_new' }),
    attentionScale: 1 / Math.sqrt(dHead),
    weights: {
      embed,
      position: null,
      layers: Array.from({ length: layers }, (_, layer) => neoxLayer(reader, `layers.${layer}.`, { d, dMlp, biased })),
      finalNorm: normOf(reader, 'final_layer_norm.weight', 'final_layer_norm.bias', d),
      unembed: tied ? embed : reader.weight('embed_out.weight', [vocabulary, d], { kind: 'as-is' }, ''),
      unembedIsTransposed: true,
      unembedBias: null,
    },
  };
  const buffers = /attention\.(bias|masked_bias|rotary_emb\.inv_freq)$/;
  reader.requireAllRead(tied ? /attention\.(bias|masked_bias|rotary_emb\.inv_freq)$|^embed_out\.weight$/ : buffers);
  return spec;
}

/** Share of a head's channels that are turned. */
function share(config: Config): number {
  const parameters = config['rope_parameters'] as Config | null | undefined;
  const newer = parameters?.['partial_rotary_factor'];
  const value = newer ?? config['rotary_pct'] ?? 0.25;
  if (typeof value !== 'number' || !(value > 0 && value <= 1)) {
    const field = newer == null ? 'rotary_pct' : 'rope_parameters: partial_rotary_factor';
    throw new EngineError('bad-config', `config.json: ${field}`, 'a share from 0 to 1', JSON.stringify(value));
  }
  return value;
}

interface NeoXSizes {
  d: number;
  dMlp: number;
  biased: boolean;
}

function neoxLayer(reader: Reader, at: string, { d, dMlp, biased }: NeoXSizes): LayerWeights {
  const third = (part: 0 | 1 | 2): Layout => ({ kind: 'thirds', part });
  const matrix = (part: 0 | 1 | 2) => reader.weight(`${at}attention.query_key_value.weight`, [3 * d, d], third(part));
  const bias = (part: 0 | 1 | 2) => (biased ? reader.weight(`${at}attention.query_key_value.bias`, [3 * d], third(part)) : null);
  return {
    norm1: normOf(reader, `${at}input_layernorm.weight`, `${at}input_layernorm.bias`, d),
    q: matrix(0),
    k: matrix(1),
    v: matrix(2),
    qBias: bias(0),
    kBias: bias(1),
    vBias: bias(2),
    o: reader.linear(`${at}attention.dense.weight`, d, d),
    oBias: biased ? reader.weight(`${at}attention.dense.bias`, [d]) : null,
    mlp: {
      norm2: normOf(reader, `${at}post_attention_layernorm.weight`, `${at}post_attention_layernorm.bias`, d),
      gate: null,
      gateBias: null,
      in: reader.linear(`${at}mlp.dense_h_to_4h.weight`, d, dMlp),
      inBias: reader.weight(`${at}mlp.dense_h_to_4h.bias`, [dMlp]),
      hiddenBias: null,
      out: reader.linear(`${at}mlp.dense_4h_to_h.weight`, dMlp, d),
      outBias: reader.weight(`${at}mlp.dense_4h_to_h.bias`, [d]),
    },
  };
}
