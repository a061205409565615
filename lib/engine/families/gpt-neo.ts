import { EngineError } from '../errors.ts';
import type { LayerWeights, ModelSpec } from '../spec.ts';
import type { TensorTable } from '../weights.ts';
import { ACTIVATIONS } from './gpt2.ts';
import { Reader, describe, normOf, type Config } from './reader.ts';

/** Hugging Face GPT-Neo (TinyStories among them): layers that look back a limited way, scores without scaling. */
export function readGptNeo(config: Config, tensors: TensorTable): ModelSpec {
  const reader = new Reader(config, tensors, 'transformer.');
  const d = reader.size('hidden_size');
  const heads = reader.size('num_heads');
  if (d % heads !== 0) throw new EngineError('bad-config', 'config.json: hidden_size', `a multiple of num_heads = ${heads}`, `${d}`);
  const layers = reader.size('num_layers');
  const vocabulary = reader.size('vocab_size');
  const context = reader.size('max_position_embeddings');
  const dMlp = config['intermediate_size'] == null ? 4 * d : reader.size('intermediate_size');
  const tied = config['tie_word_embeddings'] !== false;
  const embed = reader.weight('wte.weight', [vocabulary, d]);
  const spec: ModelSpec = {
    family: 'gpt-neo',
    layers,
    heads,
    hasMlp: true,
    parallel: false,
    dModel: d,
    dHead: d / heads,
    kvHeads: heads,
    rotary: null,
    windows: windowsOf(reader, layers),
    dMlp,
    vocabulary,
    context,
    norm: 'layer',
    epsilon: reader.number('layer_norm_epsilon'),
    activation: reader.oneOf('activation_function', ACTIVATIONS),
    attentionScale: 1,
    weights: {
      embed,
      position: reader.weight('wpe.weight', [context, d]),
      layers: Array.from({ length: layers }, (_, layer) => gptNeoLayer(reader, `h.${layer}.`, d, dMlp)),
      finalNorm: normOf(reader, 'ln_f.weight', 'ln_f.bias', d),
      unembed: tied ? embed : reader.weight('lm_head.weight', [vocabulary, d], { kind: 'as-is' }, ''),
      unembedIsTransposed: true,
      unembedBias: null,
    },
  };
  reader.requireAllRead(/attn\.attention\.(bias|masked_bias)$|^lm_head\.weight$/);
  return spec;
}

/** `attention_types` [[["global", "local"], 6]]: the list repeated that often, one entry a layer. */
function windowsOf(reader: Reader, layers: number): (number | null)[] {
  const where = 'config.json: attention_types';
  const types = reader.config['attention_types'] ?? [[['global'], layers]];
  const groups = Array.isArray(types) ? (types as [unknown, unknown][]) : [];
  const kinds = groups.flatMap(([list, times]) =>
    Array.isArray(list) && Number.isSafeInteger(times) && (times as number) <= layers
      ? Array.from({ length: times as number }, () => list as unknown[]).flat()
      : [],
  );
  if (kinds.length !== layers) throw new EngineError('bad-config', where, `one kind for each of ${layers} layers`, describe(types));
  return kinds.map((kind) => {
    if (kind !== 'global' && kind !== 'local') throw new EngineError('unsupported', where, '"global" or "local"', describe(kind));
    return kind === 'local' ? reader.size('window_size') : null;
  });
}

function gptNeoLayer(reader: Reader, at: string, d: number, dMlp: number): LayerWeights {
  const attention = (name: string) => reader.linear(`${at}attn.attention.${name}.weight`, d, d);
  return {
    norm1: normOf(reader, `${at}ln_1.weight`, `${at}ln_1.bias`, d),
    q: attention('q_proj'),
    k: attention('k_proj'),
    v: attention('v_proj'),
    qBias: null,
    kBias: null,
    vBias: null,
    o: attention('out_proj'),
    oBias: reader.weight(`${at}attn.attention.out_proj.bias`, [d]),
    mlp: {
      norm2: normOf(reader, `${at}ln_2.weight`, `${at}ln_2.bias`, d),
      gate: null,
      gateBias: null,
      in: reader.linear(`${at}mlp.c_fc.weight`, d, dMlp),
      inBias: reader.weight(`${at}mlp.c_fc.bias`, [dMlp]),
      hiddenBias: null,
      out: reader.linear(`${at}mlp.c_proj.weight`, dMlp, d),
      outBias: reader.weight(`${at}mlp.c_proj.bias`, [d]),
    },
  };
}
