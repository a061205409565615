import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { EngineError, floatsOf, type StoredTensor } from '../../lib/engine/index.ts';

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

/** Throws as {@link WeightFiles.read} does where onnxruntime itself is to read the tensor. */
export async function checkStored(folder: string, { location, offset, length }: StoredTensor): Promise<void> {
  const { size } = await stat(join(folder, location));
  if (size >= offset + length) return;
  throw new EngineError('bad-weights', location, `${length} bytes from byte ${offset}`, `${Math.max(0, size - offset)}`);
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
  return floatsOf(bytes.buffer, dtype);
}

/** One read gives no more than 2 GiB. */
const MOST_BYTES = 1 << 30;
