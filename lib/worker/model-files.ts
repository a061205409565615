import { sha256 } from '@noble/hashes/sha2.js';
import { EngineError } from '../engine/index.ts';

/** What a server says of a model's files at `BASE/files.json`; each lies at `BASE/NAME`. */
export interface FileList {
  /** of all files: what the model is known by */
  hash: string;
  files: { name: string; bytes: number }[];
}

export interface Loading {
  signal: AbortSignal;
  /** bytes of all files */
  onProgress: (done: number, total: number) => void;
}

const CACHE = 'pathboard-models';
/** Bytes of models that a browser keeps; the one that was not used for longest goes first. */
const KEPT_BYTES = 4 * 1024 ** 3;
const RECORD = 'record.json';

interface Record {
  bytes: number;
  usedAt: number;
}

/**
 * A model's files by name, from this browser's cache where it has them. They are the model of that hash, or nothing:
 * what comes from the server is hashed while it comes, and kept only when the whole is what was asked for.
 * @throws EngineError `bad-weights` where the hash is another one, `runtime` where the server does not answer
 */
export async function loadModelFiles(base: string, hash: string, loading: Loading): Promise<Map<string, Blob>> {
  const kept = await readKept(hash);
  if (kept) return kept;
  const list = await listOf(base, loading.signal);
  const files = await download(base, list, loading);
  const found = await hashOf(list, files);
  if (found !== hash) throw new EngineError('bad-weights', 'model files', `files with the hash ${hash}`, found);
  await keep(hash, files);
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
      onProgress(done, total);
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
async function hashOf({ files }: FileList, loaded: ReadonlyMap<string, Blob>): Promise<string> {
  const hash = sha256.create();
  const text = new TextEncoder();
  for (const name of files.map((file) => file.name).toSorted()) {
    const blob = loaded.get(name)!;
    hash.update(text.encode(`${name}\0${blob.size}\0`));
    const reader = blob.stream().getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) hash.update(next.value);
  }
  return Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Browsers keep nothing for pages that came without TLS from elsewhere than this machine. */
function openCache(): Promise<Cache | null> {
  return 'caches' in globalThis ? caches.open(CACHE).catch(() => null) : Promise.resolve(null);
}

const keyOf = (hash: string, name: string) => `/kept-models/${hash}/${encodeURIComponent(name)}`;

async function readKept(hash: string): Promise<Map<string, Blob> | null> {
  const cache = await openCache();
  const record = cache && (await readRecord(cache, hash));
  if (!cache || !record) return null;
  const files = new Map<string, Blob>();
  for (const { url } of await cache.keys()) {
    const [, owner, name] = /\/kept-models\/([^/]+)\/([^/]+)$/.exec(url) ?? [];
    if (owner !== hash || name === undefined || name === RECORD) continue;
    const kept = await cache.match(url);
    if (kept) files.set(decodeURIComponent(name), await kept.blob());
  }
  const bytes = [...files.values()].reduce((sum, { size }) => sum + size, 0);
  if (bytes !== record.bytes) return null;
  await writeRecord(cache, hash, { ...record, usedAt: Date.now() });
  return files;
}

/** A browser that has no room keeps nothing: the model then comes from the server each time. */
async function keep(hash: string, files: ReadonlyMap<string, Blob>): Promise<void> {
  const cache = await openCache();
  if (!cache) return;
  const bytes = [...files.values()].reduce((sum, { size }) => sum + size, 0);
  try {
    await makeRoom(cache, bytes);
    for (const [name, blob] of files) await cache.put(keyOf(hash, name), new Response(blob));
    // Last, so that a model which is kept in part is not taken for whole.
    await writeRecord(cache, hash, { bytes, usedAt: Date.now() });
  } catch {
    await forget(cache, hash);
  }
}

async function makeRoom(cache: Cache, wanted: number): Promise<void> {
  const models = await recordsOf(cache);
  let total = models.reduce((sum, { bytes }) => sum + bytes, wanted);
  for (const { hash, bytes } of models.toSorted((a, b) => a.usedAt - b.usedAt)) {
    if (total <= KEPT_BYTES) return;
    await forget(cache, hash);
    total -= bytes;
  }
}

async function recordsOf(cache: Cache): Promise<(Record & { hash: string })[]> {
  const hashes = new Set((await cache.keys()).flatMap(({ url }) => /\/kept-models\/([^/]+)\//.exec(url)?.[1] ?? []));
  const records = await Promise.all(
    [...hashes].map(async (hash) => ({ hash, ...((await readRecord(cache, hash)) ?? { bytes: 0, usedAt: 0 }) })),
  );
  return records;
}

async function forget(cache: Cache, hash: string): Promise<void> {
  await cache.delete(keyOf(hash, RECORD));
  for (const key of await cache.keys()) if (key.url.includes(`/kept-models/${hash}/`)) await cache.delete(key);
}

async function readRecord(cache: Cache, hash: string): Promise<Record | null> {
  const kept = await cache.match(keyOf(hash, RECORD));
  return kept ? ((await kept.json()) as Record) : null;
}

async function writeRecord(cache: Cache, hash: string, record: Record): Promise<void> {
  await cache.put(keyOf(hash, RECORD), Response.json(record));
}
