import { EngineError } from '../../lib/engine/index.ts';
import type { DictionarySummary } from '../../lib/wire.ts';
import { deleteDictionary, dictionariesOfModel, importDictionary, listDictionaries } from '../dictionaries.ts';
import { modelLimits } from '../model-import.ts';
import { analyze } from './analyze.ts';
import { fromCaller, needed, type Command } from './options.ts';
import { bytesOf, columns, print } from './output.ts';

/** Sparse dictionaries of a model: `import`, `list`, `delete`. */
export async function dictionary({ home, words: [verb, given], values }: Command): Promise<void> {
  switch (verb) {
    case 'import': {
      const source = fromCaller(needed('dictionary import', given, 'a directory with cfg.json and sae_weights.safetensors'));
      const model = needed('--model', values.model, 'the name of a model');
      const { bytes } = modelLimits(process.env);
      const made = await importDictionary(home, source, { model, limit: bytes, ...(values.name !== undefined && { name: values.name }) });
      return print(made, values, () => [lineOf(made).join('  ')]);
    }
    case 'list': {
      const known = values.model === undefined ? await listDictionaries(home) : await dictionariesOfModel(home, values.model);
      return print(known, values, () => columns(known.map(lineOf)));
    }
    case 'delete': {
      const gone = await deleteDictionary(home, needed('dictionary delete', given, 'the name of a dictionary'));
      return print(gone, values, () => [`${gone.name} deleted`]);
    }
    default:
      throw new EngineError('bad-request', 'dictionary', 'import, list or delete', verb === undefined ? 'nothing' : JSON.stringify(verb));
  }
}

/** `analyze features` under its own name. */
export function features(command: Command): Promise<void> {
  return analyze({ ...command, words: ['features', ...command.words] });
}

function lineOf({ name, modelName, kind, hook, hookOut, width, activation, k, bytes, hash, builtIn }: DictionarySummary): string[] {
  const active = k === null ? activation : `${activation} ${k}`;
  return [
    name,
    `of ${modelName}`,
    kind,
    hookOut ? `${hook} -> ${hookOut}` : hook,
    `${width} features, ${active}`,
    bytesOf(bytes),
    `sha256 ${hash.slice(0, 12)}${builtIn ? ', built in' : ''}`,
  ];
}
