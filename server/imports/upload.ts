import type { UploadedFile } from '../../lib/model-wire.ts';
import type { FolderLimits } from '../engine/model-folder.ts';
import { FILE_LIMITS, isPlainName } from '../engine/plain-file.ts';
import { Refusal } from '../refusal.ts';

const WEIGHTS = /\.safetensors$/;
const OTHERS = ['config.json', 'tokenizer.json', 'model.safetensors.index.json'] as const;

/** @throws Refusal naming the file that a model's folder does not have, or that is too large, before a byte of it is taken */
export function checkUpload(files: readonly UploadedFile[], limits: FolderLimits): void {
  const seen = new Set<string>();
  for (const { name, bytes } of files) {
    const known = OTHERS.find((other) => other === name);
    if (!isPlainName(name) || (!known && !WEIGHTS.test(name))) {
      const got = `${JSON.stringify(name)} (formats that can hold a program are never taken)`;
      throw new Refusal('bad-request', 'files', `${OTHERS.join(', ')} and *.safetensors`, got);
    }
    if (seen.has(name)) throw new Refusal('bad-request', name, 'one file of a name', 'two');
    seen.add(name);
    const limit = known ? FILE_LIMITS[known] : limits.bytes;
    if (bytes > limit) throw new Refusal('too-large', name, `at most ${limit} bytes`, `${bytes}`);
  }
  if (!seen.has('config.json')) throw new Refusal('bad-request', 'files', 'config.json among them', 'none');
  const weights = files.filter(({ name }) => WEIGHTS.test(name));
  if (weights.length === 0) throw new Refusal('bad-request', 'files', 'weights, *.safetensors', 'none');
  const total = weights.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > limits.bytes)
    throw new Refusal('too-large', 'files', `at most ${limits.bytes} bytes of weights (MODEL_LIMIT_GB)`, `${total}`);
}
