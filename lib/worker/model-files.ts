import { sha256 } from '@noble/hashes/sha2.js';
import { EngineError } from '../engine/index.ts';
import { forgetModel, keep, readKept } from './kept-models.ts';
import type { ModelPlace } from './messages.ts';

/** What a server says of a model's files at `BASE/files.json`; each lies at `BASE/NAME`. */
export interface FileList {
  /** of all files: what the model is known by */
  hash: string;
  files: { name: string; bytes: number }[];
}

export interface Loading {
  signal: AbortSignal;
  /** bytes of all files */
  onProgress: (done: number, total: number, what: 'loaded' | 'checked') => void;
  /** before anything is loaded. @throws EngineError where so many bytes cannot be computed with */
  check?: (bytes: number) => void;
}

/**
 * A model's files by name, from this browser's cache where it has them. They are the model of that hash, or nothing:
 * what comes from the server is kept only when the whole is what was asked for, and what was kept is hashed again before
 * it is used; where it has changed it goes, and comes from the server anew.
 * @throws EngineError `bad-weights` where the hash is another one, `runtime` where the server does not answer
 */
export async function loadModelFiles({ name, base, hash }: ModelPlace, loading: Loading): Promise<Map<string, Blob>> {
  const kept = await readKept(hash);
  if (kept) {
    if ((await hashOf(kept, loading)) === hash) return kept;
    await forgetModel(hash);
  }
  const list = await listOf(base, loading.signal);
  loading.check?.(list.files.reduce((sum, { bytes }) => sum + bytes, 0));
  const files = await download(base, list, loading);
  const found = await hashOf(files, loading);
  if (found !== hash) throw new EngineError('bad-weights', 'model files', `files with the hash ${hash}`, found);
  await keep(hash, name, files);
  return files;
}

async function listOf(base: string, signal: AbortSignal): Promise<FileList> {
  const answer = await fetch(`${base}/files.json`, { signal }).catch((cause: unknown) => unreachable(base, cause, signal));
  if (!answer.ok) throw new EngineError('runtime', `${base}/files.json`, 'the list of the model’s files', `status ${answer.status}`);
  return (await answer.json()) as FileList;
}

async function download(base: string, { files }: FileList, { signal, onProgress }: Loading): Promise<Map<string, Blob>> {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const loaded = new Map<string, Blob>();
  let done = 0;
  for (const { name } of files) {
    const url = `${base}/${encodeURIComponent(name)}`;
    const answer = await fetch(url, { signal }).catch((cause: unknown) => unreachable(url, cause, signal));
    if (!answer.ok || !answer.body) throw new EngineError('runtime', url, 'a file of the model', `status ${answer.status}`);
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    const reader = answer.body.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      chunks.push(next.value);
      done += next.value.length;
      onProgress(done, total, 'loaded');
    }
    loaded.set(name, new Blob(chunks));
  }
  return loaded;
}

function unreachable(url: string, cause: unknown, signal: AbortSignal): never {
  if (signal.aborted) throw new EngineError('cancelled', 'model files', 'to be loaded', 'a request to stop');
  throw new EngineError('runtime', url, 'a server that answers', 'none', { cause });
}

/** As the server makes it: names, sizes and contents of the files in order of their names. */
async function hashOf(files: ReadonlyMap<string, Blob>, { onProgress }: Loading): Promise<string> {
  const total = [...files.values()].reduce((sum, { size }) => sum + size, 0);
  const hash = sha256.create();
  const text = new TextEncoder();
  let done = 0;
  for (const name of [...files.keys()].toSorted()) {
    const blob = files.get(name)!;
    hash.update(text.encode(`${name}\0${blob.size}\0`));
    const reader = blob.stream().getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      hash.update(next.value);
      done += next.value.length;
      onProgress(done, total, 'checked');
    }
  }
  return Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
