import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EngineError } from '../../lib/engine/index.ts';

/** A file of a model's folder, found and proven to be one. */
export interface PlainFile {
  /** with every link followed */
  path: string;
  size: number;
}

/** In bytes. The header of a safetensors file has its own limit, the format's. */
export const FILE_LIMITS = {
  'cfg.json': 1e6,
  'config.json': 10e6,
  'example.json': 1e6,
  'model.safetensors.index.json': 100e6,
  'tokenizer.json': 200e6,
} as const;

/** Letters, digits, dot, dash, underscore; no folder, and nothing hidden. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/;
/** Where the Hugging Face cache keeps a revision; its files are links to ../../blobs. */
const CACHED = /[\\/]models--[^\\/]+[\\/]snapshots[\\/][^\\/]+$/;

/**
 * A file directly in `folder`; null where there is none. What somebody else made may name files anywhere, or links
 * to them, or devices that never end: none of these is opened.
 * @throws EngineError where it is no plain file of the folder's own, or larger than `limit` bytes
 */
export async function findPlainFile(folder: string, file: string, limit = Infinity): Promise<PlainFile | null> {
  if (!isPlainName(file)) throw new EngineError('bad-weights', basename(folder), 'plain file names', quote(file));
  const path = await realpath(join(folder, file)).catch(nullIfMissing);
  if (path === null) return null;
  const folders = await foldersOf(folder);
  if (!folders.includes(dirname(path))) {
    throw new EngineError('bad-config', file, 'a file in the folder itself', `a link to ${quote(path)}`);
  }
  const info = await stat(path);
  if (!info.isFile()) throw new EngineError('bad-config', file, 'a plain file', info.isDirectory() ? 'a folder' : 'a device or a pipe');
  if (info.size > limit) throw new EngineError('bad-config', file, `at most ${limit} bytes`, `${info.size}`);
  return { path, size: info.size };
}

export function isPlainName(file: string): boolean {
  return NAME.test(file);
}

/** The folder itself; for a revision in the Hugging Face cache also the one that holds the files of all revisions. */
async function foldersOf(folder: string): Promise<string[]> {
  const real = await realpath(folder);
  return CACHED.test(real) ? [real, join(dirname(dirname(real)), 'blobs')] : [real];
}

/** A dangling link is like no file. */
function nullIfMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  if (error.code === 'ELOOP') throw new EngineError('bad-config', 'link', 'one that leads somewhere', 'one that leads back to itself');
  throw error;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
