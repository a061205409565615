/** Models that this browser keeps, each as its files and a record, in one cache by their hash. */

export interface KeptModel {
  hash: string;
  name: string;
  bytes: number;
  /** milliseconds since 1970 */
  usedAt: number;
}

type Record = Omit<KeptModel, 'hash'>;

const CACHE = 'pathboard-models';
/** Bytes of models that a browser keeps; the one that was not used for longest goes first. */
const MOST_BYTES = 4 * 1024 ** 3;
/** Of what the browser gives this site, for models; the rest is left to boards. */
const SHARE = 0.9;
const RECORD = 'record.json';

/** Browsers keep nothing for pages that came without TLS from elsewhere than this machine. */
function openCache(): Promise<Cache | null> {
  return 'caches' in globalThis ? caches.open(CACHE).catch(() => null) : Promise.resolve(null);
}

const keyOf = (hash: string, name: string) => `/kept-models/${hash}/${encodeURIComponent(name)}`;

/** Those that are here, the one used last first; null where this browser keeps none at all. */
export async function keptModels(): Promise<KeptModel[] | null> {
  const cache = await openCache();
  if (!cache) return null;
  return (await recordsOf(cache)).filter(({ bytes }) => bytes > 0).toSorted((a, b) => b.usedAt - a.usedAt);
}

export async function forgetModel(hash: string): Promise<void> {
  const cache = await openCache();
  if (cache) await forget(cache, hash);
}

/** The files of a model as they lie here, or null; whether they are still what they were is not looked at. */
export async function readKept(hash: string): Promise<Map<string, Blob> | null> {
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
  await writeRecord(cache, hash, { ...record, usedAt: Date.now() });
  return files;
}

/**
 * Keeps a model's files, and makes room for them: others go, the one that was not used for longest first. Gives whether
 * they are kept; where there is no room even so the model comes from the server each time.
 */
export async function keep(hash: string, name: string, files: ReadonlyMap<string, Blob>): Promise<boolean> {
  const cache = await openCache();
  if (!cache) return false;
  const bytes = [...files.values()].reduce((sum, { size }) => sum + size, 0);
  const others = (await recordsOf(cache)).filter((one) => one.hash !== hash).toSorted((a, b) => a.usedAt - b.usedAt);
  let room = await roomFor(others);
  for (const other of others) {
    if (room >= bytes) break;
    await forget(cache, other.hash);
    room += other.bytes;
  }
  while (!(await written(cache, hash, files))) {
    const oldest = (await recordsOf(cache)).filter((one) => one.hash !== hash).toSorted((a, b) => a.usedAt - b.usedAt)[0];
    if (!oldest) return false;
    await forget(cache, oldest.hash);
  }
  await writeRecord(cache, hash, { name, bytes, usedAt: Date.now() });
  return true;
}

/** Bytes that may be written beside the models that are kept. */
async function roomFor(others: readonly KeptModel[]): Promise<number> {
  const kept = others.reduce((sum, { bytes }) => sum + bytes, 0);
  const { quota = Infinity, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {};
  return Math.min(MOST_BYTES - kept, SHARE * quota - usage);
}

/** All files or none. */
async function written(cache: Cache, hash: string, files: ReadonlyMap<string, Blob>): Promise<boolean> {
  try {
    for (const [name, blob] of files) await cache.put(keyOf(hash, name), new Response(blob));
    return true;
  } catch {
    await forget(cache, hash);
    return false;
  }
}

async function recordsOf(cache: Cache): Promise<KeptModel[]> {
  const hashes = new Set((await cache.keys()).flatMap(({ url }) => /\/kept-models\/([^/]+)\//.exec(url)?.[1] ?? []));
  return Promise.all(
    [...hashes].map(async (hash) => ({ hash, ...((await readRecord(cache, hash)) ?? { name: hash, bytes: 0, usedAt: 0 }) })),
  );
}

async function forget(cache: Cache, hash: string): Promise<void> {
  await cache.delete(keyOf(hash, RECORD));
  for (const key of await cache.keys()) if (key.url.includes(`/kept-models/${hash}/`)) await cache.delete(key);
}

async function readRecord(cache: Cache, hash: string): Promise<Record | null> {
  const kept = await cache.match(keyOf(hash, RECORD));
  if (!kept) return null;
  const { name = hash, bytes, usedAt } = (await kept.json()) as Partial<Record> & Pick<Record, 'bytes' | 'usedAt'>;
  return { name, bytes, usedAt };
}

async function writeRecord(cache: Cache, hash: string, record: Record): Promise<void> {
  await cache.put(keyOf(hash, RECORD), Response.json(record));
}
