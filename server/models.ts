import { randomUUID } from 'node:crypto';
import { readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngineError, type ModelSpec } from '../lib/engine/index.ts';
import type { ModelSource } from '../lib/model-wire.ts';
import type { ModelSummary } from '../lib/wire.ts';
import type { ModelFiles } from './context.ts';
import { hashModel, readModelFolder, type ModelFolder } from './engine/model-folder.ts';
import { isMissing } from './files.ts';
import { Refusal } from './refusal.ts';

/** Models are folders: the built-in ones in the project, imported ones under PATHBOARD_HOME. */

const BUILT_IN = fileURLToPath(new URL('../public/models/', import.meta.url));
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
/** Written into an imported model's folder when it is complete. */
export const RECORD = 'pathboard.json';
/** The origin of a model whose files somebody sent from a browser. */
export const UPLOAD = 'upload';

export interface Located {
  folder: string;
  builtIn: boolean;
}

/** @throws EngineError where a name could not be a folder's */
export function checkModelName(name: string): void {
  if (NAME.test(name)) return;
  throw new EngineError('bad-request', 'name', 'letters, digits, dot, dash and underscore, at most 100', JSON.stringify(name));
}

/** @throws EngineError `unknown-model` naming the known ones */
export async function locateModel(home: string, name: string): Promise<Located> {
  const known = await modelNames(home);
  const located = known.get(name);
  if (!located) throw new EngineError('unknown-model', 'model', [...known.keys()].join(', ') || 'an imported model', JSON.stringify(name));
  return located;
}

/** Those that can be read: one broken folder must not take the others away. It is told to whoever runs the server. */
export async function listModels(home: string): Promise<ModelSummary[]> {
  const names = await modelNames(home);
  const summaries = await Promise.all([...names].map(([name, located]) => summarise(name, located).catch((error) => told(located, error))));
  return summaries.filter((summary) => summary !== null);
}

const tellings = new Set<string>();

/** Says once what is wrong with a folder, which is listed again and again. */
function told({ folder }: Located, error: unknown): null {
  const line = `${folder}: ${error instanceof Error ? error.message : String(error)}`;
  if (!tellings.has(line)) process.stderr.write(`${line}\n`);
  tellings.add(line);
  return null;
}

/** The model's folder with its hash, proven readable. */
export async function openModelFolder(home: string, name: string): Promise<ModelFolder & { hash: string }> {
  const { folder } = await locateModel(home, name);
  const model = await readModelFolder(folder);
  return { ...model, hash: await hashOf(model) };
}

/** The files of the model with this hash, which they have at this moment, whatever was recorded when it was imported. */
export async function filesOfModel(home: string, hash: string): Promise<ModelFiles | null> {
  for (const [name, { folder }] of await modelNames(home)) {
    const found = await filesIn(folder).catch(() => null);
    if (found?.hash === hash) return { name, folder, files: found.files };
  }
  return null;
}

interface Found extends Pick<ModelFiles, 'files'> {
  /** null where it is not what was recorded */
  hash: string | null;
}

const readBefore = new Map<string, { state: string; model: Promise<Found> }>();

/** Read anew where anything in the folder has changed since: anybody may ask, again and again, and a tokenizer takes a while. */
async function filesIn(folder: string): Promise<Found> {
  const state = await stateOf(folder);
  const known = readBefore.get(folder);
  if (known?.state === state) return known.model;
  const model = readFiles(folder);
  readBefore.set(folder, { state, model });
  model.catch(() => readBefore.delete(folder));
  return model;
}

async function readFiles(folder: string): Promise<Found> {
  const model = await readModelFolder(folder);
  const files = await Promise.all(model.files.map(async (file) => ({ name: file, bytes: (await stat(join(folder, file))).size })));
  const [recorded, computed] = [await hashOf(model), await hashModel(model)];
  return { hash: recorded === computed ? computed : null, files };
}

async function stateOf(folder: string): Promise<string> {
  const names = (await readdir(folder)).toSorted();
  const states = names.map(async (name) => {
    const { size, mtimeMs, ctimeMs, ino } = await stat(join(folder, name));
    return `${name} ${size} ${mtimeMs} ${ctimeMs} ${ino}`;
  });
  return (await Promise.all(states)).join('\0');
}

export async function modelNames(home: string): Promise<Map<string, Located>> {
  const names = new Map<string, Located>();
  for (const [parent, builtIn] of [
    [BUILT_IN, true],
    [join(home, 'models'), false],
  ] as const) {
    const entries = await readdir(parent, { withFileTypes: true }).catch(noneIfMissing);
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const folder = join(parent, entry.name);
      const isModel = entry.isDirectory() && NAME.test(entry.name) && (await stat(join(folder, 'config.json')).catch(() => null));
      if (isModel) names.set(entry.name, { folder, builtIn });
    }
  }
  return names;
}

/** A home without imports has no such folder; one that cannot be read is a failure. */
export function noneIfMissing(error: unknown): [] {
  if (isMissing(error)) return [];
  throw error;
}

export async function summarise(name: string, { folder, builtIn }: Located): Promise<ModelSummary> {
  const model = await readModelFolder(folder);
  const { family, layers, heads, dModel, vocabulary, context, hasMlp } = model.spec;
  return {
    name,
    hash: await hashOf(model),
    family,
    layers,
    heads,
    dModel,
    vocabulary,
    context,
    hasMlp,
    hasTokenizer: model.hasTokenizer,
    builtIn,
    bytes: model.bytes,
    ...weighed(model.spec),
    ...(await originsOf(folder, builtIn)),
    example: await readExample(folder),
  };
}

/** As recorded at import, else computed: built-in models are small. */
export async function hashOf(model: ModelFolder): Promise<string> {
  return (await recordedHash(model.folder)) ?? hashModel(model);
}

async function recordedHash(folder: string): Promise<string | null> {
  const record = await readJson(join(folder, RECORD));
  return record && 'hash' in record && typeof record.hash === 'string' ? record.hash : null;
}

/** How many numbers the model has, each counted once, and the types in which they are stored. */
function weighed({ weights }: ModelSpec): Pick<ModelSummary, 'parameters' | 'storedAs'> {
  const stored = new Map<string, StoredTensor>();
  const collect = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if (isWeight(value)) stored.set(`${value.stored.location} ${value.stored.offset}`, value.stored);
    else for (const part of Object.values(value)) collect(part);
  };
  collect(weights);
  const tensors = [...stored.values()];
  return {
    parameters: tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0),
    storedAs: [...new Set(tensors.map(({ dtype }) => dtype))].toSorted(),
  };
}

type StoredTensor = ModelSpec['weights']['embed']['stored'];

function isWeight(value: object): value is { stored: StoredTensor } {
  return 'stored' in value && 'layout' in value;
}

/** What a model of this name that was imported from elsewhere says about where; null where it does not, or there is none. */
export async function originOfModel(home: string, name: string): Promise<string | null> {
  const located = (await modelNames(home)).get(name);
  return located ? (await readRecord(located.folder)).origin : null;
}

async function originsOf(folder: string, builtIn: boolean): Promise<Pick<ModelSummary, 'source' | 'importedAt'>> {
  if (builtIn) return { source: { kind: 'built-in' }, importedAt: null };
  const { origin, importedAt } = await readRecord(folder);
  return { source: sourceOf(origin), importedAt };
}

/** Of the origin that a model was recorded with: an address of a hub with `@` and a revision, or `upload`. */
function sourceOf(origin: string | null): ModelSource {
  if (origin === UPLOAD) return { kind: 'upload' };
  const [, host, repository, revision] = /^https?:\/\/([^/]+)\/([^/@]+\/[^/@]+)@(.+)$/.exec(origin ?? '') ?? [];
  if (host === undefined || repository === undefined || revision === undefined) return { kind: 'folder' };
  return { kind: 'hub', host, repository, revision };
}

async function readRecord(folder: string): Promise<{ origin: string | null; importedAt: string | null }> {
  const record = new Map(Object.entries((await readJson(join(folder, RECORD))) ?? {}));
  const text = (name: string) => {
    const value: unknown = record.get(name);
    return typeof value === 'string' ? value : null;
  };
  return { origin: text('origin'), importedAt: text('importedAt') };
}

/**
 * Takes an imported model away: at once from the lists, then from the disk. What runs on it runs to its end where it has read its
 * weights. `hash` is the model that was meant: another one may have its name by now.
 */
export async function deleteModel(home: string, name: string, hash: string): Promise<void> {
  const { folder, builtIn } = await locateModel(home, name);
  if (builtIn) throw new Refusal('conflict', name, 'a model that was imported', 'one that is built in');
  // As recorded: reading a tokenizer holds up everybody's edits, and one that is broken must not keep its model here.
  const found = (await recordedHash(folder)) ?? (await hashOf(await readModelFolder(folder)));
  if (found !== hash) throw new Refusal('conflict', name, `the model with sha256 ${hash.slice(0, 12)}`, found.slice(0, 12));
  const leaving = join(home, 'models', `.deleted-${process.pid}-${randomUUID()}`);
  await rename(folder, leaving);
  await rm(leaving, { recursive: true, force: true });
}

async function readExample(folder: string): Promise<ModelSummary['example']> {
  const example = await readJson(join(folder, 'example.json'));
  return example && isExample(example) ? example : null;
}

function isExample(value: object): value is NonNullable<ModelSummary['example']> {
  const fields = new Map(Object.entries(value));
  return ['prompt', 'counterfactual', 'target', 'foil', 'note'].every((name) => typeof fields.get(name) === 'string');
}

/** The object in a file that a model can do without; null where there is none. */
async function readJson(path: string): Promise<object | null> {
  const text = await readFile(path, 'utf8').catch(() => 'null');
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
