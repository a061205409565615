import { open } from 'node:fs/promises';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { EngineError, type StoredTensor } from '../../lib/engine/index.ts';

/** The tensors of a model's folder as float32, each read when first wanted and then kept. */
export class WeightFiles {
  readonly #tensors = new Map<string, Promise<ort.Tensor>>();

  constructor(readonly folder: string) {}

  /** @throws EngineError `bad-weights` when the file has become shorter than its header says */
  read(name: string, stored: StoredTensor): Promise<ort.Tensor> {
    const known = this.#tensors.get(name);
    if (known) return known;
    const tensor = readFloats(this.folder, stored).then((data) => new ort.Tensor('float32', data, stored.shape));
    this.#tensors.set(name, tensor);
    tensor.catch(() => this.#tensors.delete(name));
    return tensor;
  }
}

async function readFloats(folder: string, { dtype, location, offset, length }: StoredTensor): Promise<Float32Array> {
  const bytes = new Uint8Array(length);
  const handle = await open(join(folder, location));
  try {
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await handle.read(bytes, filled, Math.min(length - filled, MOST_BYTES), offset + filled);
      if (bytesRead === 0) throw new EngineError('bad-weights', location, `${length} bytes from byte ${offset}`, `${filled}`);
      filled += bytesRead;
    }
  } finally {
    await handle.close();
  }
  if (dtype === 'float32') return new Float32Array(bytes.buffer);
  const words = new Uint16Array(bytes.buffer);
  return dtype === 'bfloat16' ? fromBfloat16(words) : fromFloat16(words);
}

/** One read gives no more than 2 GiB. */
const MOST_BYTES = 1 << 30;

/** bfloat16 is the upper half of a float32. */
function fromBfloat16(words: Uint16Array): Float32Array {
  const bits = new Uint32Array(words.length);
  for (let i = 0; i < words.length; i++) bits[i] = words[i]! << 16;
  return new Float32Array(bits.buffer);
}

function fromFloat16(words: Uint16Array): Float32Array {
  const table = (halves ??= Float32Array.from({ length: 0x1_00_00 }, (_, half) => floatOfHalf(half)));
  const floats = new Float32Array(words.length);
  for (let i = 0; i < words.length; i++) floats[i] = table[words[i]!]!;
  return floats;
}

let halves: Float32Array | null = null;

/** IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction. */
function floatOfHalf(half: number): number {
  const sign = half & 0x80_00 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = (half & 0x3_ff) / 1024;
  if (exponent === 0) return sign * fraction * 2 ** -14;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction) * 2 ** (exponent - 15);
}
