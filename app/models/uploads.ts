import type { ModelImport } from '@/lib/model-wire.ts';
import { UPLOAD_CHUNK } from '@/lib/upload.ts';
import { RequestFailure, failureOf, request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';

/** Uploads that this window sends. They go on while somebody looks at other pages of the site. */

/** Attempts at one piece, and milliseconds between two, more before each further one. */
const ATTEMPTS = 8;
const PAUSE = 500;

interface Sending {
  files: ReadonlyMap<string, File>;
  abort: AbortController;
}

const sendings = new Map<string, Sending>();
/** Files that were chosen for an upload, for when it goes on in the same window. */
const chosen = new Map<string, ReadonlyMap<string, File>>();

export function isSending(importId: string): boolean {
  return sendings.has(importId);
}

export function filesFor(importId: string): ReadonlyMap<string, File> | null {
  return chosen.get(importId) ?? null;
}

/** Sends what is not there yet. `onEnd` is told why it could not, or null once all is there or somebody stopped it. */
export function sendFiles(found: ModelImport, files: ReadonlyMap<string, File>, onEnd: (failure: unknown) => void): void {
  if (sendings.has(found.id)) return;
  const sending = { files, abort: new AbortController() };
  sendings.set(found.id, sending);
  chosen.set(found.id, files);
  addEventListener('beforeunload', askToStay);
  const end = (failure: unknown) => {
    sendings.delete(found.id);
    if (sendings.size === 0) removeEventListener('beforeunload', askToStay);
    onEnd(sending.abort.signal.aborted ? null : failure);
  };
  sendAll(found, sending).then(() => end(null), end);
}

export function stopSending(importId: string): void {
  sendings.get(importId)?.abort.abort();
}

function askToStay(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

async function sendAll(begun: ModelImport, { files, abort: { signal } }: Sending): Promise<void> {
  let state = begun;
  let failures = 0;
  for (let next = lacking(state); next !== null && state.state === 'running'; next = lacking(state)) {
    const file = files.get(next.name);
    if (!file) throw new Error(strings.models.imports.otherFiles(next.name));
    try {
      state = await sendPiece(state.id, file.slice(next.here, next.here + UPLOAD_CHUNK), next, signal);
      failures = 0;
    } catch (error) {
      failures += 1;
      if (signal.aborted || failures >= ATTEMPTS || !mayPass(error)) throw error;
      await new Promise((done) => setTimeout(done, failures * PAUSE));
      // What came of the piece, the server knows.
      state = (await find(state.id, signal)) ?? state;
    }
  }
}

/** A connection that broke off, a server that starts anew or is busy; or a piece that came although nobody was told. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof RequestFailure)) return false;
  return error.isOffline || error.status >= 500 || ['too-fast', 'conflict', 'bad-request'].includes(error.code);
}

function lacking({ files }: ModelImport): ModelImport['files'][number] | null {
  return files.find(({ bytes, here }) => here < bytes) ?? null;
}

async function find(importId: string, signal: AbortSignal): Promise<ModelImport | null> {
  const all = await request<ModelImport[]>('/api/imports', { signal }).catch(() => []);
  return all.find(({ id }) => id === importId) ?? null;
}

async function sendPiece(
  importId: string,
  piece: Blob,
  { name, here }: { name: string; here: number },
  signal: AbortSignal,
): Promise<ModelImport> {
  const url = `/api/imports/${importId}/files/${encodeURIComponent(name)}?at=${here}`;
  const response = await fetch(url, { method: 'PUT', body: piece, credentials: 'same-origin', signal }).catch((cause: unknown) => {
    if (signal.aborted) throw cause;
    throw new RequestFailure(0, 'offline', strings.errors.unreachable, null);
  });
  if (response.ok) return (await response.json()) as ModelImport;
  throw failureOf(response.status, await response.json().catch(() => null));
}
