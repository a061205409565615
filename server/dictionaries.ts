import { randomUUID } from 'node:crypto';
import { cp, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Dictionary, EngineError, type DictionaryStore, type ModelSpec } from '../lib/engine/index.ts';
import type { DictionarySummary } from '../lib/wire.ts';
import type { ModelFiles } from './context.ts';
import { DICTIONARY_FILES, checkNumbers, readDictionaryFolder } from './engine/dictionary-folder.ts';
import { hashModel } from './engine/model-folder.ts';
import { createNodeRuntime, type NodeRuntimeOptions } from './engine/node-runtime.ts';
import { findPlainFile } from './engine/plain-file.ts';
import { isMissing } from './files.ts';
import { checkSpace } from './disk.ts';
import { RECORD, checkModelName, listModels, openModelFolder } from './models.ts';

/** Sparse dictionaries are folders: built-in ones in the project, imported ones under PATHBOARD_HOME. Each is of one model. */

const BUILT_IN = fileURLToPath(new URL('../public/dictionaries/', import.meta.url));

interface Located {
  name: string;
  folder: string;
  builtIn: boolean;
  hash: string;
  /** hash of the model that it is of */
  model: string;
}

/** A model that dictionaries are of. */
export interface Owner {
  name: string;
  hash: string;
  spec: ModelSpec;
}

/** Those of a model, by layer and name. One that cannot be read is left out. */
export async function dictionariesOf(home: string, owner: Owner): Promise<DictionarySummary[]> {
  const located = (await locateAll(home)).filter(({ model }) => model === owner.hash);
  const found = await Promise.all(located.map((one) => summarise(one, owner).catch(() => null)));
  const summaries = found.filter((one) => one !== null);
  return summaries.toSorted((a, b) => a.layer - b.layer || (a.name < b.name ? -1 : 1));
}

/** By the model's name. */
export async function dictionariesOfModel(home: string, model: string): Promise<DictionarySummary[]> {
  return dictionariesOf(home, await openOwner(home, model));
}

/** Of all models that are installed. */
export async function listDictionaries(home: string): Promise<DictionarySummary[]> {
  const models = await listModels(home);
  return (await Promise.all(models.map(({ name }) => dictionariesOfModel(home, name)))).flat();
}

/** The files of the dictionary with this hash; null where there is none. */
export async function filesOfDictionary(home: string, hash: string): Promise<ModelFiles | null> {
  const found = (await locateAll(home)).find((one) => one.hash === hash);
  if (!found) return null;
  const files = await Promise.all(DICTIONARY_FILES.map(async (name) => ({ name, bytes: (await stat(join(found.folder, name))).size })));
  return { name: found.name, folder: found.folder, files };
}

/** Opens a model's dictionaries on this machine. A folder is looked up again every time: it may have been deleted. */
export function createDictionaryStore(home: string, owner: Owner, options: NodeRuntimeOptions): DictionaryStore {
  const opened = new Map<string, Promise<Dictionary>>();
  return {
    async open(wanted) {
      const all = (await locateAll(home)).filter(({ model }) => model === owner.hash);
      const found = all.find(({ name, hash }) => name === wanted || hash === wanted);
      if (!found) {
        const known = all.map(({ name }) => name).join(', ') || 'an imported dictionary of this model';
        throw new EngineError('bad-request', 'dictionary', known, JSON.stringify(wanted));
      }
      const dictionary = opened.get(found.hash) ?? openDictionary(found, owner, options);
      opened.delete(found.hash);
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

async function openDictionary({ name, hash, folder }: Located, { spec }: Owner, options: NodeRuntimeOptions): Promise<Dictionary> {
  const read = await readDictionaryFolder(folder, spec);
  return new Dictionary(name, hash, read.spec, createNodeRuntime(folder, options));
}

/**
 * Copies a directory in SAELens' layout under PATHBOARD_HOME after proving it whole and of the model's shape: nothing is
 * visible until everything is. Importing the same again under its name changes nothing.
 */
export async function importDictionary(
  home: string,
  source: string,
  { model, name = basename(resolve(source)), limit = Infinity }: { model: string; name?: string; limit?: number },
): Promise<DictionarySummary> {
  checkModelName(name);
  const info = await stat(source).catch(() => null);
  if (!info?.isDirectory()) {
    throw new EngineError('bad-request', 'dictionary import', `a directory with ${DICTIONARY_FILES.join(' and ')}`, JSON.stringify(source));
  }
  const owner = await openOwner(home, model);
  const read = await readDictionaryFolder(source, owner.spec, limit);
  await checkNumbers(read);
  const hash = await hashModel({ folder: source, files: [...DICTIONARY_FILES] });
  const known = (await locateAll(home)).find((one) => one.name === name);
  if (known && known.hash === hash && known.model === owner.hash) return summarise(known, owner);
  if (known) throw new EngineError('bad-request', 'name', 'a name that no other dictionary has', JSON.stringify(name));
  const parent = join(home, 'dictionaries');
  await mkdir(parent, { recursive: true });
  await checkSpace(parent, read.bytes);
  const draft = join(parent, `.import-${process.pid}-${randomUUID()}`);
  try {
    await mkdir(draft);
    for (const file of DICTIONARY_FILES) await cp((await findPlainFile(source, file))!.path, join(draft, file));
    const copied = await hashModel({ folder: draft, files: [...DICTIONARY_FILES] });
    if (copied !== hash)
      throw new EngineError('bad-weights', 'dictionary import', `files with sha256 ${hash}`, `${copied}: they changed meanwhile`);
    await writeFile(join(draft, RECORD), JSON.stringify({ name, hash, model: owner.hash, importedAt: new Date().toISOString() }));
    await rename(draft, join(parent, name));
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return summarise({ name, hash, model: owner.hash, folder: join(parent, name), builtIn: false }, owner);
}

/** @throws EngineError where there is none of this name, or it came with the project */
export async function deleteDictionary(home: string, name: string): Promise<{ name: string; hash: string }> {
  const all = await locateAll(home);
  const found = all.find((one) => one.name === name && !one.builtIn);
  if (!found) {
    const known = all.filter(({ builtIn }) => !builtIn).map((one) => one.name);
    throw new EngineError('bad-request', 'dictionary', known.join(', ') || 'an imported dictionary', JSON.stringify(name));
  }
  await rm(found.folder, { recursive: true });
  return { name, hash: found.hash };
}

async function openOwner(home: string, name: string): Promise<Owner> {
  const { hash, spec } = await openModelFolder(home, name);
  return { name, hash, spec };
}

async function summarise({ name, hash, model, folder, builtIn }: Located, owner: Owner): Promise<DictionarySummary> {
  const { spec, bytes } = await readDictionaryFolder(folder, owner.spec);
  const { kind, layer, hook, hookOut, width, activation, k } = spec;
  return { name, hash, model, modelName: owner.name, kind, layer, hook, hookOut, width, activation, k, bytes, builtIn };
}

async function locateAll(home: string): Promise<Located[]> {
  const found: Located[] = [];
  for (const [parent, builtIn] of [
    [BUILT_IN, true],
    [join(home, 'dictionaries'), false],
  ] as const) {
    const entries = await readdir(parent, { withFileTypes: true }).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    for (const entry of entries) {
      if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
      const record = await readRecord(join(parent, entry.name));
      if (record) found.push({ name: entry.name, folder: join(parent, entry.name), builtIn, ...record });
    }
  }
  return found;
}

/** What was recorded at import; a folder without that is no dictionary of ours. */
async function readRecord(folder: string): Promise<{ hash: string; model: string } | null> {
  const text = await readFile(join(folder, RECORD), 'utf8').catch(() => 'null');
  try {
    const { hash, model } = (JSON.parse(text) ?? {}) as Record<string, unknown>;
    return typeof hash === 'string' && typeof model === 'string' ? { hash, model } : null;
  } catch {
    return null;
  }
}
