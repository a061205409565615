import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { cp, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EngineError, type ErrorCode } from '../lib/engine/index.ts';
import type { ModelSummary } from '../lib/wire.ts';
import { checkSpace, isDiskFull, noSpace } from './disk.ts';
import { hashModel, readModelFolder, type FolderLimits, type ModelFolder } from './engine/model-folder.ts';
import { FILE_LIMITS, findPlainFile } from './engine/plain-file.ts';
import type { ImportControl, ImportProgress } from './imports/progress.ts';
import { RECORD, checkModelName, hashOf, modelNames, noneIfMissing, summarise } from './models.ts';
import { Refusal } from './refusal.ts';

const GB = 1e9;
const DEFAULT_LIMIT_GB = 50;
/** Bytes that are copied at a time. */
const CHUNK = 1 << 20;

/** Codes of what is wrong with a model's files, however often they are looked at; after any other failure they may do. */
const WRONG_FILES: ReadonlySet<string> = new Set<ErrorCode>(['bad-config', 'bad-weights', 'unsupported']);

export function areFilesWrong(code: string): boolean {
  return WRONG_FILES.has(code);
}

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
  control: ImportControl = {},
): Promise<ModelSummary> {
  checkModelName(name);
  const info = await stat(source).catch(() => null);
  if (!info?.isDirectory())
    throw new EngineError('bad-request', 'import', 'a directory with config.json and safetensors', JSON.stringify(source));
  const read = await readModelFolder(source, limits);
  const hash = await hashWatched(read, control);
  const same = await findSame(home, name, hash);
  if (same) return same;
  return draftModel(home, read.bytes, async (draft) => {
    let done = 0;
    for (const file of read.files) {
      const before = done;
      done += await copyFile(source, draft, file, control, (bytes) => ({ stage: 'copy', file, done: before + bytes, total: read.bytes }));
    }
    const example = await findPlainFile(source, 'example.json', FILE_LIMITS['example.json']);
    if (example) await cp(example.path, join(draft, 'example.json'));
    const copied = await hashWatched({ folder: draft, files: read.files, bytes: read.bytes }, control);
    if (copied !== hash)
      throw new EngineError('bad-weights', 'import', `files with sha256 ${hash}`, `${copied}: they changed while being copied`);
    return placeModel(home, draft, name, { hash });
  });
}

function hashWatched(model: Pick<ModelFolder, 'folder' | 'files' | 'bytes'>, { signal, onProgress }: ImportControl): Promise<string> {
  let done = 0;
  const onBytes = (file: string, bytes: number) => {
    signal?.throwIfAborted();
    onProgress?.({ stage: 'check', file, done: (done += bytes), total: Math.max(done, model.bytes) });
  };
  return hashModel(model, { onBytes });
}

/**
 * Makes a folder of ours, somewhere under PATHBOARD_HOME, a model. The folder is moved, not copied.
 * `origin` says where it came from, for `originOfModel`; `expected` is the hash that it must have.
 */
export async function adoptModel(
  home: string,
  folder: string,
  name: string,
  { limits, origin, expected, ...control }: { limits: FolderLimits; origin?: string; expected?: string } & ImportControl,
): Promise<ModelSummary> {
  checkModelName(name);
  const hash = await hashWatched(await readModelFolder(folder, limits), control);
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
  await removeLeftovers(home);
  await checkSpace(models, bytes);
  const draft = join(models, `.import-${process.pid}-${randomUUID()}`);
  try {
    await mkdir(draft);
    return await work(draft);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** The model of this name and hash where it is there already. @throws Refusal where another one has the name */
export async function findSame(home: string, name: string, hash: string): Promise<ModelSummary | null> {
  const existing = (await modelNames(home)).get(name);
  if (!existing) return null;
  if ((await hashOf(await readModelFolder(existing.folder))) === hash) return summarise(name, existing);
  throw new Refusal('conflict', 'name', 'a name that no other model has', JSON.stringify(name));
}

async function placeModel(home: string, draft: string, name: string, record: { hash: string; origin?: string }): Promise<ModelSummary> {
  const folder = join(home, 'models', name);
  const text = JSON.stringify({ name, ...record, importedAt: new Date().toISOString() });
  await writeFile(join(draft, RECORD), text).catch((error: unknown) => {
    throw isDiskFull(error) ? noSpace(draft, error) : error;
  });
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

/** Gives how many bytes it copied. */
async function copyFile(
  source: string,
  target: string,
  file: string,
  { signal, onProgress }: ImportControl,
  progressOf: (bytes: number) => ImportProgress,
): Promise<number> {
  const found = await findPlainFile(source, file);
  if (!found) throw new EngineError('bad-weights', file, 'the file that was there a moment before', 'no such file');
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _, pass) {
      onProgress?.(progressOf((bytes += chunk.length)));
      pass(null, chunk);
    },
  });
  const read = createReadStream(found.path, { highWaterMark: CHUNK });
  await pipeline(read, count, createWriteStream(join(target, file)), { signal }).catch((error: unknown) => {
    throw isDiskFull(error) ? noSpace(target, error) : error;
  });
  return bytes;
}

/**
 * Drafts of imports, and what was being deleted, of processes that are gone. With `ownToo`, for a process that has begun none
 * yet, also those of its own number: an earlier one had it, as in a container each server has.
 */
export async function removeLeftovers(home: string, { ownToo = false } = {}): Promise<void> {
  const models = join(home, 'models');
  for (const entry of await readdir(models).catch(noneIfMissing)) {
    const owner = /^\.(?:import|deleted)-(\d+)-/.exec(entry);
    if (!owner) continue;
    const pid = Number(owner[1]);
    const isGone = (ownToo && pid === process.pid) || !isAlive(pid);
    if (isGone) await rm(join(models, entry), { recursive: true, force: true });
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
