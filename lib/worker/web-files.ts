import { EngineError, floatsOf, headerLength, readHeader, type TensorTable } from '../engine/index.ts';
import type { TensorSource } from './web-runtime.ts';

/** Every tensor of a file, read as far as the header. */
export async function tensorsOf(file: string, blob: Blob): Promise<TensorTable> {
  const prefix = new Uint8Array(await blob.slice(0, 8).arrayBuffer());
  const length = headerLength(prefix, file, blob.size);
  return readHeader(await blob.slice(8, 8 + length).text(), file, blob.size, length);
}

/** The tensors of files that are in this browser. */
export function sourceOf(files: ReadonlyMap<string, Blob>): TensorSource {
  return {
    async read({ location, offset, length, dtype }) {
      const bytes = await files
        .get(location)
        ?.slice(offset, offset + length)
        .arrayBuffer();
      if (bytes?.byteLength !== length) {
        throw new EngineError('bad-weights', location, `${length} bytes from byte ${offset}`, String(bytes?.byteLength ?? 'no such file'));
      }
      return floatsOf(bytes, dtype);
    },
  };
}

/** Null for a file that is not there. @throws EngineError where it is no JSON */
export async function readJson(files: ReadonlyMap<string, Blob>, file: string): Promise<unknown> {
  const blob = files.get(file);
  if (!blob) return null;
  try {
    return JSON.parse(await blob.text());
  } catch (cause) {
    throw new EngineError('bad-config', file, 'JSON', 'text that is not JSON', { cause });
  }
}
