import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const D_MODEL = 256;
const FEATURES = 48;

interface Shape {
  name: string;
  hook: string;
  seed: number;
}

/** A small dictionary of the built-in model with random weights, imported as anybody would. */
export async function importDictionary(home: string, { name, hook, seed }: Shape): Promise<void> {
  const parent = await mkdtemp(join(tmpdir(), 'pathboard-dictionary-'));
  const folder = join(parent, name);
  await mkdir(folder);
  const cfg = { d_in: D_MODEL, d_sae: FEATURES, dtype: 'float32', architecture: 'standard', apply_b_dec_to_input: true };
  await writeFile(
    join(folder, 'cfg.json'),
    JSON.stringify({
      ...cfg,
      normalize_activations: 'none',
      metadata: { sae_lens_version: '6.54.12', model_name: 'attn-2l', hook_name: hook },
    }),
  );
  await writeFile(join(folder, 'sae_weights.safetensors'), weights(seed));
  const args = ['--import', 'tsx', 'server/cli.ts', 'dictionary', 'import', folder, '--model', 'attn-2l'];
  await promisify(execFile)(process.execPath, args, { cwd: ROOT, env: { ...process.env, PATHBOARD_HOME: home } });
  await rm(parent, { recursive: true });
}

function weights(seed: number): Buffer {
  let state = seed;
  /** a linear congruence, uniform around 0 */
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const shapes = { W_enc: [D_MODEL, FEATURES], b_enc: [FEATURES], W_dec: [FEATURES, D_MODEL], b_dec: [D_MODEL] };
  const header: Record<string, unknown> = {};
  const parts: Buffer[] = [];
  let offset = 0;
  for (const [tensor, shape] of Object.entries(shapes)) {
    const size = shape.reduce((product, dim) => product * dim, 1);
    const data = Float32Array.from({ length: size }, () => random() * (tensor === 'W_dec' ? 0.4 : 0.2));
    header[tensor] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
    parts.push(Buffer.from(data.buffer));
    offset += data.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...parts]);
}
