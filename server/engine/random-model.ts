import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Seeded random models of every supported shape, written as real folders. For tests and benchmarks. */

export interface RandomTensor {
  name: string;
  shape: readonly number[];
  data: Float32Array;
}

export interface RandomModel {
  config: Record<string, unknown>;
  tensors: RandomTensor[];
}

/** mulberry32: uniform in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

class Drawer {
  readonly tensors: RandomTensor[] = [];
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  /** Uniform with the given standard deviation around `mean`. */
  draw(name: string, shape: readonly number[], deviation: number, mean = 0): void {
    const data = new Float32Array(shape.reduce((product, dim) => product * dim, 1));
    const width = deviation * Math.sqrt(12);
    for (let i = 0; i < data.length; i++) data[i] = mean + (this.#random() - 0.5) * width;
    this.tensors.push({ name, shape, data });
  }
}

export interface Gpt2Sizes {
  layers: number;
  heads: number;
  d: number;
  vocabulary: number;
  context: number;
  prefix: '' | 'transformer.';
  tied: boolean;
  activation: string;
}

export function randomGpt2(sizes: Gpt2Sizes, seed: number): RandomModel {
  const { layers, heads, d, vocabulary, context, prefix, tied, activation } = sizes;
  const drawer = new Drawer(seed);
  const draw = (name: string, shape: number[], deviation: number, mean = 0) => drawer.draw(prefix + name, shape, deviation, mean);
  draw('wte.weight', [vocabulary, d], 0.3);
  draw('wpe.weight', [context, d], 0.1);
  for (let layer = 0; layer < layers; layer++) {
    const at = `h.${layer}.`;
    for (const norm of ['ln_1', 'ln_2']) {
      draw(`${at}${norm}.weight`, [d], 0.2, 1);
      draw(`${at}${norm}.bias`, [d], 0.1);
    }
    draw(`${at}attn.c_attn.weight`, [d, 3 * d], 1.2 / Math.sqrt(d));
    draw(`${at}attn.c_attn.bias`, [3 * d], 0.1);
    draw(`${at}attn.c_proj.weight`, [d, d], 1 / Math.sqrt(d));
    draw(`${at}attn.c_proj.bias`, [d], 0.1);
    draw(`${at}mlp.c_fc.weight`, [d, 4 * d], 1 / Math.sqrt(d));
    draw(`${at}mlp.c_fc.bias`, [4 * d], 0.1);
    draw(`${at}mlp.c_proj.weight`, [4 * d, d], 0.5 / Math.sqrt(d));
    draw(`${at}mlp.c_proj.bias`, [d], 0.1);
  }
  draw('ln_f.weight', [d], 0.2, 1);
  draw('ln_f.bias', [d], 0.1);
  if (!tied) drawer.draw('lm_head.weight', [vocabulary, d], 0.3);
  const config = {
    model_type: 'gpt2',
    n_layer: layers,
    n_head: heads,
    n_embd: d,
    vocab_size: vocabulary,
    n_positions: context,
    layer_norm_epsilon: 1e-5,
    activation_function: activation,
    tie_word_embeddings: tied,
  };
  return { config, tensors: drawer.tensors };
}

export interface LensSizes {
  layers: number;
  heads: number;
  d: number;
  dHead: number;
  dMlp: number;
  vocabulary: number;
  context: number;
  norm: 'LN' | 'LNPre' | 'RMS' | 'RMSPre' | null;
  activation: string | null;
  gated?: boolean;
}

export function randomLens(sizes: LensSizes, seed: number): RandomModel {
  const { layers, heads, d, dHead, dMlp, vocabulary, context, norm, activation, gated } = sizes;
  const drawer = new Drawer(seed);
  const drawNorm = (name: string) => {
    if (norm === 'LN' || norm === 'RMS') drawer.draw(`${name}.w`, [d], 0.2, 1);
    if (norm === 'LN') drawer.draw(`${name}.b`, [d], 0.1);
  };
  drawer.draw('embed.W_E', [vocabulary, d], 0.5);
  drawer.draw('pos_embed.W_pos', [context, d], 0.2);
  for (let layer = 0; layer < layers; layer++) {
    const at = `blocks.${layer}.`;
    drawNorm(`${at}ln1`);
    for (const part of ['Q', 'K', 'V']) {
      drawer.draw(`${at}attn.W_${part}`, [heads, d, dHead], 1 / Math.sqrt(d));
      drawer.draw(`${at}attn.b_${part}`, [heads, dHead], 0.1);
    }
    drawer.draw(`${at}attn.W_O`, [heads, dHead, d], 0.8 / Math.sqrt(dHead));
    drawer.draw(`${at}attn.b_O`, [d], 0.1);
    if (dMlp === 0) continue;
    drawNorm(`${at}ln2`);
    if (gated) drawer.draw(`${at}mlp.W_gate`, [d, dMlp], 1 / Math.sqrt(d));
    drawer.draw(`${at}mlp.W_in`, [d, dMlp], 1 / Math.sqrt(d));
    drawer.draw(`${at}mlp.b_in`, [dMlp], 0.1);
    drawer.draw(`${at}mlp.W_out`, [dMlp, d], 0.8 / Math.sqrt(dMlp));
    drawer.draw(`${at}mlp.b_out`, [d], 0.1);
  }
  drawNorm('ln_final');
  drawer.draw('unembed.W_U', [d, vocabulary], 0.5);
  drawer.draw('unembed.b_U', [vocabulary], 0.1);
  const config = {
    n_layers: layers,
    n_heads: heads,
    d_model: d,
    d_head: dHead,
    d_mlp: dMlp || null,
    attn_only: dMlp === 0,
    normalization_type: norm,
    positional_embedding_type: 'standard',
    d_vocab: vocabulary,
    n_ctx: context,
    act_fn: activation,
    ...(gated && { gated_mlp: true }),
    eps: 1e-5,
  };
  return { config, tensors: drawer.tensors };
}

/** The safetensors bytes of float32 tensors. */
export function safetensors(tensors: readonly RandomTensor[]): Buffer {
  let offset = 0;
  const entries = tensors.map(({ name, shape, data }): [string, object] => {
    const from = offset;
    offset += data.byteLength;
    return [name, { dtype: 'F32', shape, data_offsets: [from, offset] }];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, ...tensors.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength))]);
}

/** Writes the model as a new folder, by default under the system's temporary directory. */
export async function writeModel({ config, tensors }: RandomModel, parent = tmpdir()): Promise<string> {
  const folder = await mkdtemp(join(parent, 'pathboard-model-'));
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeFile(join(folder, 'model.safetensors'), safetensors(tensors));
  return folder;
}
