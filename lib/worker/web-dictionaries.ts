import { Dictionary, EngineError, readDictionary, type DictionaryStore, type ModelSpec } from '../engine/index.ts';
import { loadModelFiles } from './model-files.ts';
import { readJson, sourceOf, tensorsOf } from './web-files.ts';
import { createWebRuntime, type Ort, type WebProvider } from './web-runtime.ts';

/** What a server lists at `base`. */
interface Listed {
  name: string;
  hash: string;
}

/** Sparse dictionaries of one model, their files loaded into this browser when first wanted and kept as models are. */
export function createWebDictionaries(ort: Ort, provider: WebProvider, base: string, spec: ModelSpec): DictionaryStore {
  const opened = new Map<string, Promise<Dictionary>>();
  const open = async ({ name, hash }: Listed): Promise<Dictionary> => {
    const place = { name, hash, base: `${base}/${hash}` };
    const files = await loadModelFiles(place, { signal: new AbortController().signal, onProgress() {} });
    const weights = files.get('sae_weights.safetensors');
    if (!weights) throw new EngineError('bad-weights', name, 'sae_weights.safetensors', 'no such file');
    const tensors = await tensorsOf('sae_weights.safetensors', weights);
    const read = readDictionary(await readJson(files, 'cfg.json'), tensors, spec);
    return new Dictionary(name, hash, read, createWebRuntime(ort, sourceOf(files), provider));
  };
  return {
    async open(wanted) {
      const known = opened.get(wanted);
      if (known) return known;
      const all = await list(base);
      const found = all.find(({ name, hash }) => name === wanted || hash === wanted);
      if (!found) {
        const names = all.map(({ name }) => name).join(', ') || 'a dictionary of this model';
        throw new EngineError('bad-request', 'dictionary', names, JSON.stringify(wanted));
      }
      // By hash alone: a name may be another's later.
      const dictionary = opened.get(found.hash) ?? open(found);
      opened.set(found.hash, dictionary);
      dictionary.catch(() => opened.delete(found.hash));
      return dictionary;
    },
    async close() {
      const all = [...opened.values()];
      opened.clear();
      await Promise.allSettled(all.map(async (one) => (await one).close()));
    },
  };
}

async function list(base: string): Promise<Listed[]> {
  const answer = await fetch(base).catch((cause: unknown) => {
    throw new EngineError('runtime', base, 'a server that answers', 'none', { cause });
  });
  if (!answer.ok) throw new EngineError('runtime', base, 'the list of dictionaries', `status ${answer.status}`);
  return (await answer.json()) as Listed[];
}
