import { mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seeded } from '../../server/engine/random-model.ts';
import { SEED } from '../gpt2-small.ts';

export interface LlamaSizes {
  layers: number;
  heads: number;
  d: number;
  dMlp: number;
  vocabulary: number;
}

const CACHE = fileURLToPath(new URL('../.cache/', import.meta.url));
/** Random numbers that are drawn; what needs more repeats them. */
const DRAWN = 1 << 22;

/** The folder of a Llama shape with seeded random float32 weights, written once, tensor after tensor. */
export async function llamaFolder(name: string, sizes: LlamaSizes): Promise<string> {
  const folder = join(CACHE, `${name}-${SEED}`);
  if (await stat(folder).catch(() => null)) return folder;
  const draft = `${folder}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  await writeFile(join(draft, 'config.json'), JSON.stringify(configOf(sizes)));
  await writeWeights(join(draft, 'model.safetensors'), tensorsOf(sizes));
  await rename(draft, folder);
  return folder;
}

function configOf({ layers, heads, d, dMlp, vocabulary }: LlamaSizes) {
  return {
    model_type: 'llama',
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: heads,
    hidden_size: d,
    intermediate_size: dMlp,
    vocab_size: vocabulary,
    max_position_embeddings: 2048,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    hidden_act: 'silu',
    tie_word_embeddings: false,
  };
}

interface Drawn {
  name: string;
  shape: number[];
  deviation: number;
  mean?: number;
}

function tensorsOf({ layers, d, dMlp, vocabulary }: LlamaSizes): Drawn[] {
  const matrix = (name: string, rows: number, columns: number): Drawn => ({
    name,
    shape: [rows, columns],
    deviation: 0.8 / Math.sqrt(columns),
  });
  const norm = (name: string): Drawn => ({ name, shape: [d], deviation: 0.2, mean: 1 });
  const tensors: Drawn[] = [{ name: 'model.embed_tokens.weight', shape: [vocabulary, d], deviation: 0.3 }];
  for (let layer = 0; layer < layers; layer++) {
    const at = `model.layers.${layer}.`;
    tensors.push(norm(`${at}input_layernorm.weight`), norm(`${at}post_attention_layernorm.weight`));
    for (const one of ['q', 'k', 'v', 'o']) tensors.push(matrix(`${at}self_attn.${one}_proj.weight`, d, d));
    for (const one of ['gate', 'up']) tensors.push(matrix(`${at}mlp.${one}_proj.weight`, dMlp, d));
    tensors.push(matrix(`${at}mlp.down_proj.weight`, d, dMlp));
  }
  return [...tensors, norm('model.norm.weight'), { name: 'lm_head.weight', shape: [vocabulary, d], deviation: 0.3 }];
}

async function writeWeights(path: string, tensors: Drawn[]): Promise<void> {
  const sizeOf = ({ shape }: Drawn) => shape.reduce((product, dim) => product * dim, 1);
  let offset = 0;
  const entries = tensors.map((one) => {
    const from = offset;
    offset += 4 * sizeOf(one);
    return [one.name, { dtype: 'F32', shape: one.shape, data_offsets: [from, offset] }] as const;
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const random = seeded(SEED);
  const drawn = Float32Array.from({ length: DRAWN }, () => (random() - 0.5) * Math.sqrt(12));
  const file = await open(path, 'w');
  try {
    await file.writeFile(Buffer.concat([length, header]));
    for (const tensor of tensors) {
      const { deviation, mean = 0 } = tensor;
      let left = sizeOf(tensor);
      // From another place each time, so that no two matrices are the same.
      let at = Math.floor(random() * DRAWN);
      while (left > 0) {
        const part = drawn.subarray(at, Math.min(DRAWN, at + left)).map((value) => mean + deviation * value);
        await file.writeFile(Buffer.from(part.buffer));
        left -= part.length;
        at = 0;
      }
    }
  } finally {
    await file.close();
  }
}
