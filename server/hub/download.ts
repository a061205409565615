import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { isEngineError } from '../../lib/engine/index.ts';
import { isMissing } from '../files.ts';
import { checkSpace } from '../model-import.ts';
import { Refusal, isRefusal } from '../refusal.ts';
import { guardedGet, type Answer, type HubSettings } from './guarded-get.ts';

export interface DownloadOptions {
  settings: HubSettings;
  /** a folder on the same disk as the target, for what is not whole yet */
  parts: string;
  /** most bytes that are taken */
  limit: number;
  signal?: AbortSignal | undefined;
  /** told how much of the file is here; `total` is null where the server does not say */
  onProgress?: ((done: number, total: number | null) => void) | undefined;
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

/**
 * Fetches a file to `target`, going on where an earlier attempt stopped, here or in another process. It has its name
 * only when it is whole. Null where the server has no such file.
 */
export async function download(url: string, target: string, options: DownloadOptions): Promise<Downloaded | null> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptDownload(url, target, options);
    } catch (error) {
      if (isRefusal(error) || isEngineError(error) || options.signal?.aborted) throw error;
      if (attempt === ATTEMPTS) throw brokenOff(url, error);
      await pause(attempt * (options.pauseBetween ?? PAUSE), undefined, { signal: options.signal });
    }
  }
}

async function attemptDownload(url: string, target: string, options: DownloadOptions): Promise<Downloaded | null> {
  const part = await findPart(join(options.parts, `${basename(target)}.part`));
  const asked: Record<string, string> = part.etag === null ? {} : { range: `bytes=${part.size}-`, 'if-range': part.etag };
  const answer = await guardedGet(url, asked, options.settings, options.signal);
  try {
    if (answer.body.statusCode === 404) return null;
    if (answer.body.statusCode === 416) await rm(part.note, { force: true });
    const start = startOf(answer, url, part);
    const total = await checkSize(answer, part, start, options);
    await remember(answer, part);
    await receive(answer, part, start, total, options);
    await checkSum(answer, part);
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
  if (statusCode === 401 || statusCode === 403) {
    throw new Refusal('forbidden', url, 'a model that may be fetched (HF_TOKEN is shown to the endpoint)', `status ${statusCode}`);
  }
  // The server's trouble may pass, and so may a request too many; a file of which it has less than we do is fetched anew.
  if (statusCode >= 500 || [206, 416, 429].includes(statusCode)) throw new Error(`status ${statusCode}`);
  throw new Refusal('unavailable', url, 'status 200', `${statusCode}`);
}

async function checkSize(answer: Answer, part: Part, start: number, { limit, parts }: DownloadOptions): Promise<number | null> {
  const length = answer.body.headers['content-length'];
  const total = length === undefined ? null : start + Number(length);
  if (total !== null && total > limit) throw tooLarge(part, limit, String(total));
  await checkSpace(parts, (total ?? start) - start);
  return total;
}

async function receive(answer: Answer, part: Part, start: number, total: number | null, options: DownloadOptions): Promise<void> {
  let done = start;
  const count = new Transform({
    transform(chunk: Buffer, _, pass) {
      done += chunk.length;
      options.onProgress?.(done, total);
      if (done > options.limit) pass(tooLarge(part, options.limit, 'more'));
      else pass(null, chunk);
    },
  });
  const file = createWriteStream(part.path, { flags: start === 0 ? 'w' : 'a', flush: true });
  await pipeline(answer.body, count, file, { signal: options.signal });
  if (total !== null && done !== total) throw new Error(`${total} bytes were announced, ${done} came`);
}

/** The endpoint says what the sum of a large file is; whoever sends the file has no part in that. */
async function checkSum({ hub }: Answer, { path, note }: Part): Promise<void> {
  const expected = /^"?([0-9a-f]{64})"?$/.exec(String(hub['x-linked-etag'] ?? ''))?.[1];
  if (expected === undefined) return;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
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
  const size = await stat(path).then(
    (info) => info.size,
    () => 0,
  );
  return { path, note, size, etag: size === 0 ? null : await readTag(note) };
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

function brokenOff(url: string, error: unknown): Refusal {
  const got = `${error instanceof Error ? error.message : String(error)} (what came is kept: import again to go on)`;
  return new Refusal('unavailable', url, `a whole file within ${ATTEMPTS} attempts`, got);
}
