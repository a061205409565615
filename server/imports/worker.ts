import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { isEngineError } from '../../lib/engine/index.ts';
import { importFromHub } from '../hub.ts';
import { adoptModel, importModel } from '../model-import.ts';
import { UPLOAD } from '../models.ts';
import { isRefusal } from '../refusal.ts';
import type { FromImporter, ImportTask } from './task.ts';
import type { ImportControl } from './progress.ts';

/** One import, in a thread of its own: hashing gigabytes and parsing a tokenizer must not hold up anybody's edits. */

/** Milliseconds between two pieces of progress of one stage. */
const PAUSE = 100;

// On Linux a priority is a thread's own; elsewhere it would be the server's, too.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

const stop = new AbortController();
parentPort!.once('message', () => stop.abort());

function send(message: FromImporter): void {
  parentPort!.postMessage(message);
}

let last = { stage: '', at: 0 };

const control: ImportControl = {
  signal: stop.signal,
  onProgress(progress) {
    const now = Date.now();
    if (progress.stage === last.stage && now - last.at < PAUSE && progress.done !== progress.total) return;
    last = { stage: progress.stage, at: now };
    send({ type: 'progress', progress });
  },
};

function execute(task: ImportTask) {
  const { home, name, limits } = task;
  switch (task.kind) {
    case 'hub':
      return importFromHub(home, { ...task, ...control });
    case 'folder':
      return importModel(home, task.from, name, limits, control);
    case 'upload':
      return adoptModel(home, task.from, name, { limits, origin: UPLOAD, ...control });
  }
}

try {
  await execute(workerData as ImportTask);
  send({ type: 'done' });
} catch (error) {
  if (stop.signal.aborted) send({ type: 'stopped' });
  else if (isEngineError(error) || isRefusal(error)) send({ type: 'failed', error: { code: error.code, message: error.message } });
  else if (error instanceof Error && 'isLockedError' in error)
    send({ type: 'failed', error: { code: 'conflict', message: error.message } });
  else throw error;
} finally {
  // Whatever is still open, a socket to the hub or a timer, is no longer needed.
  parentPort!.close();
}
