import { randomUUID } from 'node:crypto';
import { cp, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngineError } from '../lib/engine/index.ts';
import type { ModelSummary } from '../lib/wire.ts';
import { hashModel, readModelFolder, type ModelFolder } from './engine/model-folder.ts';
import { isMissing } from './files.ts';

/** Models are folders: the built-in ones in the project, imported ones under PATHBOARD_HOME. */

const BUILT_IN = fileURLToPath(new URL('../public/models/', import.meta.url));
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
/** Written into an imported model's folder when it is complete. */
const RECORD = 'pathboard.json';

interface Located {
  folder: string;
  builtIn: boolean;
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

/**
 * Copies a model's folder under PATHBOARD_HOME after proving it whole: nothing is visible until everything is.
 * Importing the same model again under its name changes nothing.
 */
export async function importModel(home: string, source: string, name = basename(resolve(source))): Promise<ModelSummary> {
  if (!NAME.test(name)) {
    throw new EngineError('bad-request', 'name', 'letters, digits, dot, dash and underscore, at most 100', JSON.stringify(name));
  }
  const info = await stat(source).catch(() => null);
  if (!info?.isDirectory())
    throw new EngineError('bad-request', 'import', 'a directory with config.json and safetensors', JSON.stringify(source));
  const read = await readModelFolder(source);
  const hash = await hashModel(read);
  const existing = (await modelNames(home)).get(name);
  if (existing) {
    if ((await hashOf(await readModelFolder(existing.folder))) === hash) return summarise(name, existing);
    throw new EngineError('bad-request', 'name', 'a name that no other model has', JSON.stringify(name));
  }
  const models = join(home, 'models');
  await mkdir(models, { recursive: true });
  await removeLeftovers(models);
  const draft = join(models, `.import-${process.pid}-${randomUUID()}`);
  try {
    await mkdir(draft);
    for (const file of [...read.files, 'example.json']) await copyIfThere(join(source, file), join(draft, file), read.files.includes(file));
    const copied = await hashModel({ folder: draft, files: read.files });
    if (copied !== hash)
      throw new EngineError('bad-weights', 'import', `files with sha256 ${hash}`, `${copied}: they changed while being copied`);
    await writeFile(join(draft, RECORD), JSON.stringify({ name, hash, importedAt: new Date().toISOString() }));
    await rename(draft, join(models, name));
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
  return summarise(name, { folder: join(models, name), builtIn: false });
}

async function copyIfThere(from: string, to: string, needed: boolean): Promise<void> {
  if (!needed && !(await stat(from).catch(() => null))) return;
  await cp(from, to, { dereference: true });
}

/** Drafts of imports whose process is gone. */
async function removeLeftovers(models: string): Promise<void> {
  for (const entry of await readdir(models)) {
    const owner = /^\.import-(\d+)-/.exec(entry);
    if (owner && !isAlive(Number(owner[1]))) await rm(join(models, entry), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function modelNames(home: string): Promise<Map<string, Located>> {
  const names = new Map<string, Located>();
  for (const [parent, builtIn] of [
    [BUILT_IN, true],
    [join(home, 'models'), false],
  ] as const) {
    const entries = await readdir(parent, { withFileTypes: true }).catch(noneIfMissing);
    for (const entry of entries) {
      const folder = join(parent, entry.name);
      const isModel = entry.isDirectory() && NAME.test(entry.name) && (await stat(join(folder, 'config.json')).catch(() => null));
      if (isModel) names.set(entry.name, { folder, builtIn });
    }
  }
  return names;
}

/** A home without imports has no such folder; one that cannot be read is a failure. */
function noneIfMissing(error: unknown): [] {
  if (isMissing(error)) return [];
  throw error;
}

async function summarise(name: string, { folder, builtIn }: Located): Promise<ModelSummary> {
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
    example: await readExample(folder),
  };
}

/** As recorded at import, else computed: built-in models are small. */
async function hashOf(model: ModelFolder): Promise<string> {
  const record = await readJson(join(model.folder, RECORD));
  return record && 'hash' in record && typeof record.hash === 'string' ? record.hash : hashModel(model);
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
