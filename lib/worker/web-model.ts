import { EngineError, Model, readSpec, type StoredTensor } from '../engine/index.ts';
import { HostedModel } from '../hosted-model.ts';
import { checkRoom, type Room } from './room.ts';
import { createWebDictionaries } from './web-dictionaries.ts';
import { createCodec } from '../tokens.ts';
import { readJson, sourceOf, tensorsOf } from './web-files.ts';
import { createWebRuntime, type Ort, type WebProvider } from './web-runtime.ts';

/** A model of files that are in this browser, which has so much `room`. @throws EngineError naming the file, field or tensor that is missing or wrong */
export async function openWebModel(
  ort: Ort,
  provider: WebProvider,
  { name, hash, files, dictionaries }: { name: string; hash: string; files: ReadonlyMap<string, Blob>; dictionaries?: string | undefined },
  room: Room | null = null,
): Promise<HostedModel> {
  const tensors = new Map<string, StoredTensor>();
  for (const [file, blob] of files) {
    if (file.endsWith('.safetensors')) for (const [tensor, stored] of await tensorsOf(file, blob)) tensors.set(tensor, stored);
  }
  if (room) {
    const sizes = [...tensors.values()].map(({ shape }) => 4 * shape.reduce((product, dim) => product * dim, 1));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    checkRoom(name, bytes, Math.max(0, ...sizes), room);
  }
  const config = await readJson(files, 'config.json');
  if (config === null) throw new EngineError('bad-config', name, 'config.json', 'no such file');
  const tokenizer = await readJson(files, 'tokenizer.json');
  const spec = readSpec(config, tensors);
  const store = dictionaries === undefined ? null : createWebDictionaries(ort, provider, dictionaries, spec);
  const model = new Model(name, hash, spec, createWebRuntime(ort, sourceOf(files), provider), store);
  return new HostedModel(model, tokenizer === null ? null : createCodec(tokenizer as object));
}
