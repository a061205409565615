import { Worker } from 'node:worker_threads';
import type { FolderLimits } from '../engine/model-folder.ts';
import type { HubSettings } from '../hub/guarded-get.ts';
import type { ImportProgress } from './progress.ts';

interface Common {
  home: string;
  name: string;
  limits: FolderLimits;
}

/** What an importing thread is given. */
export type ImportTask =
  | (Common & { kind: 'hub'; repository: string; revision: string; settings: HubSettings })
  /** a folder of the server's disk, to be copied */
  | (Common & { kind: 'folder'; from: string })
  /** a folder of ours, to be moved */
  | (Common & { kind: 'upload'; from: string });

export interface ImportFault {
  code: string;
  message: string;
}

export type FromImporter =
  | { type: 'progress'; progress: ImportProgress }
  | { type: 'done' }
  | { type: 'stopped' }
  | { type: 'failed'; error: ImportFault };

export type Outcome = Exclude<FromImporter, { type: 'progress' }>;

export interface RunningTask {
  outcome: Promise<Outcome>;
  stop(): void;
}

/** Megabytes of a thread's heap. Weights are streamed past it; a tokenizer is read whole. */
const MOST_HEAP = 2048;

/** Executes an import in a thread of its own. The outcome is rejected with what is no refusal. */
export function runTask(task: ImportTask, onProgress: (progress: ImportProgress) => void): RunningTask {
  const worker = new Worker(new URL('./worker-entry.mjs', import.meta.url), {
    workerData: task,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP },
  });
  // An import that goes on does not keep a server from ending: what came is kept.
  worker.unref();
  const outcome = new Promise<Outcome>((resolve, reject) => {
    worker.on('message', (message: FromImporter) => {
      if (message.type === 'progress') onProgress(message.progress);
      else resolve(message);
    });
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`import: expected an outcome, got a thread that ended with code ${code}`)));
  });
  return { outcome, stop: () => worker.postMessage('stop') };
}
