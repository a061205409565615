import { randomUUID } from 'node:crypto';
import { cp, mkdir, readdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { EngineError } from '../lib/engine/index.ts';
import type { ModelSummary } from '../lib/wire.ts';
import { hashModel, readModelFolder, type FolderLimits } from './engine/model-folder.ts';
import { FILE_LIMITS, findPlainFile } from './engine/plain-file.ts';
import { RECORD, checkModelName, hashOf, modelNames, summarise } from './models.ts';
import { Refusal } from './refusal.ts';

const GB = 1e9;
const DEFAULT_LIMIT_GB = 50;

/** MODEL_LIMIT_GB: how much a model that is imported may weigh. */
export function modelLimits(env: Record<string, string | undefined>): FolderLimits {
  const text = env['MODEL_LIMIT_GB'] || String(DEFAULT_LIMIT_GB);
  if (/^\d+(?:\.\d+)?$/.test(text) && Number(text) > 0) return { bytes: Number(text) * GB };
  throw new EngineError('bad-request', 'MODEL_LIMIT_GB', 'a number above 0', JSON.stringify(text));
}

/**
 * Copies a model's folder under PATHBOARD_HOME after proving it whole: nothing is visible until everything is.
 * Importing the same model again under its name changes nothing.
 */
export async function importModel(
  home: string,
  source: string,
  name = basename(resolve(source)),
  limits: FolderLimits = modelLimits({}),
): Promise<ModelSummary> {
  checkModelName(name);
  const info = await stat(source).catch(() => null);
  if (!info?.isDirectory())
    throw new EngineError('bad-request', 'import', 'a directory with config.json and safetensors', JSON.stringify(source));
  const read = await readModelFolder(source, limits);
  const hash = await hashModel(read);
  const same = await findSame(home, name, hash);
  if (same) return same;
  return draftModel(home, read.bytes, async (draft) => {
    for (const file of read.files) await copyFile(source, draft, file);
    const example = await findPlainFile(source, 'example.json', FILE_LIMITS['example.json']);
    if (example) await cp(example.path, join(draft, 'example.json'));
    const copied = await hashModel({ folder: draft, files: read.files });
    if (copied !== hash)
      throw new EngineError('bad-weights', 'import', `files with sha256 ${hash}`, `${copied}: they changed while being copied`);
    return placeModel(home, draft, name, { hash });
  });
}

/**
 * Makes a folder of ours, somewhere under PATHBOARD_HOME, a model. The folder is moved, not copied.
 * `origin` says where it came from, for `originOfModel`; `expected` is the hash that it must have.
 */
export async function adoptModel(
  home: string,
  folder: string,
  name: string,
  { limits, origin, expected }: { limits: FolderLimits; origin?: string; expected?: string },
): Promise<ModelSummary> {
  checkModelName(name);
  const hash = await hashModel(await readModelFolder(folder, limits));
  if (expected !== undefined && hash !== expected) throw new EngineError('bad-weights', `model ${name}`, `sha256 ${expected}`, hash);
  const same = await findSame(home, name, hash);
  if (same) {
    await rm(folder, { recursive: true });
    return same;
  }
  await mkdir(join(home, 'models'), { recursive: true });
  return placeModel(home, folder, name, { hash, origin });
}

/** A folder beside the models for `work` to fill; gone afterwards, unless it became a model. */
export async function draftModel<T>(home: string, bytes: number, work: (draft: string) => Promise<T>): Promise<T> {
  const models = join(home, 'models');
  await mkdir(models, { recursive: true });
  await removeLeftovers(models);
  await checkSpace(models, bytes);
  const draft = join(models, `.import-${process.pid}-${randomUUID()}`);
  try {
    await mkdir(draft);
    return await work(draft);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** The model of this name and hash where it is there already. @throws EngineError where another one has the name */
export async function findSame(home: string, name: string, hash: string): Promise<ModelSummary | null> {
  const existing = (await modelNames(home)).get(name);
  if (!existing) return null;
  if ((await hashOf(await readModelFolder(existing.folder))) === hash) return summarise(name, existing);
  throw new EngineError('bad-request', 'name', 'a name that no other model has', JSON.stringify(name));
}

/** @throws Refusal where the disk has less than `bytes` left */
export async function checkSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < bytes) throw new Refusal('too-large', folder, `a disk with ${bytes} free bytes`, `${bavail * bsize}`);
}

async function placeModel(home: string, draft: string, name: string, record: { hash: string; origin?: string }): Promise<ModelSummary> {
  const folder = join(home, 'models', name);
  await writeFile(join(draft, RECORD), JSON.stringify({ name, ...record, importedAt: new Date().toISOString() }));
  try {
    await rename(draft, folder);
  } catch (error) {
    // Another import was faster.
    const same = await findSame(home, name, record.hash);
    if (same) return same;
    throw error;
  }
  return summarise(name, { folder, builtIn: false });
}

async function copyFile(source: string, target: string, file: string): Promise<void> {
  const found = await findPlainFile(source, file);
  if (!found) throw new EngineError('bad-weights', file, 'the file that was there a moment before', 'no such file');
  await cp(found.path, join(target, file));
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
