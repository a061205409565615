import { EngineError, Model, floatsOf, headerLength, readHeader, readSpec, type StoredTensor } from '../engine/index.ts';
import { HostedModel } from '../hosted-model.ts';
import { createCodec } from '../tokens.ts';
import { createWebRuntime, type Ort, type TensorSource, type WebProvider } from './web-runtime.ts';

/** A model of files that are in this browser. @throws EngineError naming the file, field or tensor that is missing or wrong */
export async function openWebModel(
  ort: Ort,
  provider: WebProvider,
  { name, hash, files }: { name: string; hash: string; files: ReadonlyMap<string, Blob> },
): Promise<HostedModel> {
  const tensors = new Map<string, StoredTensor>();
  for (const [file, blob] of files) {
    if (file.endsWith('.safetensors')) for (const [tensor, stored] of await tensorsOf(file, blob)) tensors.set(tensor, stored);
  }
  const config = await readJson(files, 'config.json');
  if (config === null) throw new EngineError('bad-config', name, 'config.json', 'no such file');
  const tokenizer = await readJson(files, 'tokenizer.json');
  const model = new Model(name, hash, readSpec(config, tensors), createWebRuntime(ort, sourceOf(files), provider));
  return new HostedModel(model, tokenizer === null ? null : createCodec(tokenizer as object));
}

async function tensorsOf(file: string, blob: Blob) {
  const prefix = new Uint8Array(await blob.slice(0, 8).arrayBuffer());
  const length = headerLength(prefix, file, blob.size);
  return readHeader(await blob.slice(8, 8 + length).text(), file, blob.size, length);
}

function sourceOf(files: ReadonlyMap<string, Blob>): TensorSource {
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

async function readJson(files: ReadonlyMap<string, Blob>, file: string): Promise<unknown> {
  const blob = files.get(file);
  if (!blob) return null;
  try {
    return JSON.parse(await blob.text());
  } catch (cause) {
    throw new EngineError('bad-config', file, 'JSON', 'text that is not JSON', { cause });
  }
}
