import { Worker } from 'node:worker_threads';
import type { Reading } from './statements.ts';
import { buildDoc, provenState, StoredFlaw } from './stored.ts';

/** A log larger than this is merged beside the event loop. */
const LARGE = 200_000;
const TIMEOUT = 60_000;

/** One at a time: merging takes a core and several times the document's memory. */
let turn: Promise<unknown> = Promise.resolve();

/** All that a log holds as one update. Throws a StoredFlaw where it does not load, and another error where it could not be merged. */
export function mergeLog(reading: Reading): Promise<Uint8Array> {
  const parts = [...(reading.snapshot ? [reading.snapshot.data] : []), ...reading.rows.map(({ data }) => data)];
  const bytes = parts.reduce((total, { length }) => total + length, 0);
  if (bytes < LARGE) return Promise.resolve().then(() => provenState(buildDoc(reading)));
  const merged = turn.then(() => mergeInWorker(parts));
  turn = merged.catch(() => {});
  return merged;
}

async function mergeInWorker(parts: readonly Uint8Array[]): Promise<Uint8Array> {
  // Several rows may share one buffer, of which the worker would get all.
  const workerData = parts.map((part) => new Uint8Array(part));
  const worker = new Worker(new URL('./merge-worker.mjs', import.meta.url), { workerData, execArgv: [] });
  const timer = setTimeout(() => void worker.terminate(), TIMEOUT);
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      worker.once('message', (merged: Uint8Array | null) =>
        merged ? resolve(merged) : reject(new StoredFlaw(null, 'the log does not load')),
      );
      worker.once('error', (cause) => reject(new Error('merging: expected a log as one update, got a worker that failed', { cause })));
      worker.once('exit', () => reject(new Error(`merging: expected a log as one update within ${TIMEOUT} ms, got none`)));
    });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
