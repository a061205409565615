import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { isEngineError } from '../../lib/engine/index.ts';
import { isMissing } from '../files.ts';
import { RESERVE, checkSpace, isDiskFull, noSpace } from '../disk.ts';
import { Refusal, isRefusal } from '../refusal.ts';
import { guardedGet, type Answer, type HubSettings } from './guarded-get.ts';

export interface DownloadOptions {
  settings: HubSettings;
  /** what the file is of, for those who are told why it did not come: OWNER/NAME */
  model: string;
  /** a folder on the same disk as the target, for what is not whole yet */
  parts: string;
  /** most bytes that are taken */
  limit: number;
  signal?: AbortSignal | undefined;
  /** told how much of the file is here, or hashed; `total` is null where the server does not say */
  onProgress?: ((stage: 'fetch' | 'check', done: number, total: number | null) => void) | undefined;
  /** milliseconds before the second attempt, more before each further one */
  pauseBetween?: number | undefined;
}

export interface Downloaded {
  size: number;
  /** the revision that the endpoint says the file is of */
  commit: string | null;
}

/** A file of which a part is here. */
interface Part {
  path: string;
  /** a file that holds its tag; only a strong tag says that the rest belongs to what is here */
  note: string;
  size: number;
  etag: string | null;
}

const ATTEMPTS = 5;
const PAUSE = 1000;
/** An attempt that brought as many bytes was not in vain, and does not count. */
const WORTH = 1 << 20;
/** Milliseconds for which a server that is busy is waited for, if it asks for so long. */
const LONGEST_WAIT = 120_000;

/** The server is busy, or was for a moment; `after` is in milliseconds, null where it does not say. */
class Busy extends Error {
  constructor(
    status: number,
    readonly after: number | null,
  ) {
    super(`status ${status}`);
  }
}

/**
 * Fetches a file to `target`, going on where an earlier attempt stopped, here or in another process. It has its name
 * only when it is whole. Null where the server has no such file.
 */
export async function download(url: string, target: string, options: DownloadOptions): Promise<Downloaded | null> {
  const { signal, pauseBetween = PAUSE } = options;
  let attempt = 0;
  for (;;) {
    const before = await sizeOf(partOf(target, options));
    try {
      return await attemptDownload(url, target, options);
    } catch (error) {
      if (isRefusal(error) || isEngineError(error) || signal?.aborted) throw error;
      if (isDiskFull(error)) throw noSpace(options.parts, error);
      const after = await sizeOf(partOf(target, options));
      attempt = after - before >= WORTH ? 1 : attempt + 1;
      const asked = error instanceof Busy ? error.after : null;
      if (attempt >= ATTEMPTS || (asked ?? 0) > LONGEST_WAIT) throw brokenOff(url, error, attempt);
      await pause(asked ?? attempt * pauseBetween, undefined, { signal });
    }
  }
}

function partOf(target: string, { parts }: DownloadOptions): string {
  return join(parts, `${basename(target)}.part`);
}

async function attemptDownload(url: string, target: string, options: DownloadOptions): Promise<Downloaded | null> {
  const part = await findPart(partOf(target, options));
  const asked: Record<string, string> = part.etag === null ? {} : { range: `bytes=${part.size}-`, 'if-range': part.etag };
  const answer = await guardedGet(url, asked, options.settings, options.signal);
  try {
    refuseKept(answer, options);
    if (answer.body.statusCode === 404) return null;
    if (answer.body.statusCode === 416) await rm(part.note, { force: true });
    const start = startOf(answer, url, part);
    const total = await checkSize(answer, part, start, options);
    await remember(answer, part);
    await receive(answer, part, start, total, options);
    await checkSum(answer, part, options);
  } finally {
    answer.body.destroy();
  }
  const { size } = await stat(part.path);
  await rename(part.path, target);
  await rm(part.note, { force: true });
  return { size, commit: commitOf(answer) };
}

/** How many bytes of what is here the answer goes on from. */
function startOf({ body }: Answer, url: string, part: Part): number {
  const { statusCode = 0, headers } = body;
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new Refusal('unavailable', url, 'the file as it is', `content-encoding ${encoding}`);
  if (statusCode === 200) return 0;
  if (statusCode === 206 && part.etag !== null && headers['content-range']?.startsWith(`bytes ${part.size}-`)) return part.size;
  // The server's trouble may pass, and so may a request too many; a file of which it has less than we do is fetched anew.
  if (statusCode >= 500 || [206, 416, 429].includes(statusCode)) throw new Busy(statusCode, pauseAsked(headers['retry-after']));
  throw new Refusal('unavailable', url, 'status 200', `${statusCode}`);
}

/** Retry-After in milliseconds: it is in seconds, or a date. */
function pauseAsked(header: string | undefined): number | null {
  if (header === undefined) return null;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, 1000 * seconds) : null;
}

/** What the hub keeps from us, and why: it says so in a header, and with a status alone where it is a mirror. */
function refuseKept({ body, hub }: Answer, { model, settings }: DownloadOptions): void {
  const { statusCode = 0 } = body;
  const why = hub['x-error-code'];
  const withToken = settings.token ? 'HF_TOKEN shown' : 'no HF_TOKEN set';
  if (why === 'GatedRepo') {
    const expected = 'HF_TOKEN of somebody who has been given access (ask for it on the model’s page)';
    throw new Refusal('forbidden', model, expected, `a gated model, ${withToken}`);
  }
  if (why === 'RepoNotFound') {
    throw new Refusal('not-found', model, 'a model of the hub, or for a private one HF_TOKEN', `none by this name, ${withToken}`);
  }
  if (why === 'RevisionNotFound') throw new Refusal('not-found', model, 'one of its branches, tags or commits', 'none by this name');
  if (why === 'DisabledRepo') throw new Refusal('forbidden', model, 'a model that the hub hands out', 'one that it has disabled');
  if (statusCode !== 401 && statusCode !== 403) return;
  const expected = 'a model that is open, or HF_TOKEN of somebody who may have it (it may be gated or private, or not exist)';
  throw new Refusal('forbidden', model, expected, `status ${statusCode}, ${withToken}`);
}

async function checkSize(answer: Answer, part: Part, start: number, { limit, parts }: DownloadOptions): Promise<number | null> {
  const length = answer.body.headers['content-length'];
  const total = length === undefined ? null : start + Number(length);
  if (total !== null && total > limit) throw tooLarge(part, limit, String(total));
  await checkSpace(parts, (total ?? start) - start + RESERVE);
  return total;
}

async function receive(answer: Answer, part: Part, start: number, total: number | null, options: DownloadOptions): Promise<void> {
  let done = start;
  const count = new Transform({
    transform(chunk: Buffer, _, pass) {
      done += chunk.length;
      options.onProgress?.('fetch', done, total);
      if (done > options.limit) pass(tooLarge(part, options.limit, 'more'));
      else pass(null, chunk);
    },
  });
  const file = createWriteStream(part.path, { flags: start === 0 ? 'w' : 'a', flush: true });
  await pipeline(answer.body, count, file, { signal: options.signal });
  if (total !== null && done !== total) throw new Error(`${total} bytes were announced, ${done} came`);
}

/** The endpoint says what the sum of a large file is; whoever sends the file has no part in that. */
async function checkSum({ hub }: Answer, { path, note }: Part, { signal, onProgress }: DownloadOptions): Promise<void> {
  const expected = /^"?([0-9a-f]{64})"?$/.exec(String(hub['x-linked-etag'] ?? ''))?.[1];
  if (expected === undefined) return;
  const hash = createHash('sha256');
  const size = await sizeOf(path);
  let done = 0;
  for await (const chunk of createReadStream(path, { signal, highWaterMark: WORTH })) {
    hash.update(chunk as Buffer);
    onProgress?.('check', (done += (chunk as Buffer).length), size);
  }
  const got = hash.digest('hex');
  if (got === expected) return;
  await rm(note, { force: true });
  await rm(path);
  throw new Refusal('unavailable', basename(path, '.part'), `sha256 ${expected}`, `${got} (deleted)`);
}

function commitOf({ hub }: Answer): string | null {
  const commit = hub['x-repo-commit'];
  return typeof commit === 'string' && /^[0-9a-f]{40}$/.test(commit) ? commit : null;
}

async function remember({ body }: Answer, { note }: Part): Promise<void> {
  const { etag } = body.headers;
  if (etag?.startsWith('"')) await writeFile(note, JSON.stringify({ etag }));
  else await rm(note, { force: true });
}

async function findPart(path: string): Promise<Part> {
  const note = `${path}.json`;
  const size = await sizeOf(path);
  return { path, note, size, etag: size === 0 ? null : await readTag(note) };
}

function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (info) => info.size,
    () => 0,
  );
}

async function readTag(note: string): Promise<string | null> {
  try {
    const value: unknown = JSON.parse(await readFile(note, 'utf8'));
    return typeof value === 'object' && value !== null && 'etag' in value && typeof value.etag === 'string' ? value.etag : null;
  } catch (error) {
    // Half a note is what a kill leaves.
    if (isMissing(error) || error instanceof SyntaxError) return null;
    throw error;
  }
}

function tooLarge({ path }: Part, limit: number, got: string): Refusal {
  return new Refusal('too-large', basename(path, '.part'), `at most ${limit} bytes`, got);
}

function brokenOff(url: string, error: unknown, attempts: number): Refusal {
  const after = error instanceof Busy && error.after !== null ? `, again in ${Math.ceil(error.after / 1000)} s` : '';
  const got = `${error instanceof Error ? error.message : String(error)}${after} (what came is kept: import again to go on)`;
  return new Refusal('unavailable', url, attempts < ATTEMPTS ? 'a server that has time' : `a whole file within ${ATTEMPTS} attempts`, got);
}
