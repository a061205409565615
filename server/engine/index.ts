import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { EngineError, type AnalyzeRequest, type View } from '../../lib/engine/index.ts';
import type { AnalyzeOptions, Engine, Models } from '../context.ts';
import type { CallName, Calls, FromWorker, ToWorker, WireError, WorkerData } from './messages.ts';

export interface EngineOptions {
  /** PATHBOARD_HOME */
  home: string;
  /** threads for inference; default all cores but one, which stays free for the server */
  threads?: number;
}

/** Jobs of one worker that run at a time: they take turns between batches. One place is never given to a long job. */
const CONCURRENT_JOBS = 3;
/** A request that tests more than this many paths, edges or nodes is a long job. */
const SHORT_TESTS = 10;
/** Views that are long on a large model whatever is asked of them. */
const LONG_VIEWS: ReadonlySet<View> = new Set([
  'paths',
  'concentration',
  'interactions',
  'naive-expansion',
  'attribution',
  'repair',
  'scrub',
  'composition',
  'circuits',
  'feature-edges',
]);

/** The inference worker, and a second one for texts and model folders that never waits for an analysis. */
export function createEngine({ home, threads = Math.max(1, availableParallelism() - 1) }: EngineOptions): Engine & { models: Models } {
  const inference = new WorkerClient({ home, threads, inBackground: true });
  const text = new WorkerClient({ home, threads: 1, inBackground: false });
  return {
    analyze: (request, options) => inference.call('analyze', request, options, isLong(request)),
    queue: () => inference.queue(),
    models: {
      list: () => text.call('listModels', null),
      tokenize: (model, value, special = true) => text.call('tokenize', { model, text: value, special }),
      searchTokens: (model, query, limit) => text.call('searchTokens', { model, query, limit }),
      filesOf: (hash) => text.call('filesOf', { hash }),
      dictionaries: (model) => text.call('dictionaries', { model }),
      dictionaryFiles: (hash) => text.call('dictionaryFiles', { hash }),
    },
    async close() {
      await Promise.all([inference.close(), text.close()]);
    },
  };
}

function isLong({ view, prompts, referencePrompts, untilMass, allEdges, ...tests }: AnalyzeRequest): boolean {
  const { paths = [], edges = [], ablate = [] } = tests;
  const isTest = paths.length + edges.length + ablate.length > SHORT_TESTS || allEdges === true;
  return LONG_VIEWS.has(view) || isTest || untilMass !== undefined || prompts !== undefined || referencePrompts !== undefined;
}

interface Waiting {
  long: boolean;
  go(): void;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
  options: AnalyzeOptions;
}

/** Calls a worker, starts it on first use and again after a crash. */
class WorkerClient {
  #worker: Worker | null = null;
  #nextId = 1;
  #running = 0;
  #longRunning = 0;
  readonly #waiting: Waiting[] = [];
  readonly #pending = new Map<number, Pending>();

  constructor(readonly data: WorkerData) {}

  async call<Name extends CallName>(
    name: Name,
    argument: Calls[Name]['argument'],
    options: AnalyzeOptions = {},
    long = false,
  ): Promise<Calls[Name]['result']> {
    const { signal } = options;
    if (signal?.aborted) throw cancelledError();
    await this.#turn(signal, long);
    const id = this.#nextId++;
    const cancel = () => this.#post({ type: 'cancel', id });
    try {
      return await new Promise<Calls[Name]['result']>((resolve, reject) => {
        this.#pending.set(id, { resolve: resolve as Pending['resolve'], reject, options });
        signal?.addEventListener('abort', cancel);
        this.#post({ type: 'call', id, name, argument });
        this.#keepAlive();
      });
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.#pending.delete(id);
      this.#keepAlive();
      this.#running -= 1;
      this.#longRunning -= Number(long);
      this.#admit();
    }
  }

  queue(): { running: number; waiting: number } {
    return { running: this.#running, waiting: this.#waiting.length };
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = null;
  }

  #turn(signal: AbortSignal | undefined, long: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(cancelledError());
      };
      const waiting: Waiting = {
        long,
        go() {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
      };
      this.#waiting.push(waiting);
      signal?.addEventListener('abort', leave, { once: true });
      this.#admit();
    });
  }

  /** Starts what may start, in the order in which it came. */
  #admit(): void {
    while (this.#running < CONCURRENT_JOBS) {
      const next = this.#waiting.findIndex(({ long }) => !long || this.#longRunning < CONCURRENT_JOBS - 1);
      const [waiting] = next < 0 ? [] : this.#waiting.splice(next, 1);
      if (!waiting) return;
      this.#running += 1;
      this.#longRunning += Number(waiting.long);
      waiting.go();
    }
  }

  #post(message: ToWorker): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(message);
  }

  #start(): Worker {
    const worker = new Worker(new URL('./worker-entry.mjs', import.meta.url), { workerData: this.data, execArgv: [] });
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', (error) => this.#fail(worker, error));
    worker.on('exit', (code) => this.#fail(worker, new Error(`engine worker ended with code ${code}`)));
    worker.unref();
    return worker;
  }

  #receive(message: FromWorker): void {
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    if (message.type === 'progress') pending.options.onProgress?.({ done: message.done, total: message.total, what: message.what });
    else if (message.type === 'result') pending.resolve(message.result);
    else pending.reject(revive(message.error));
  }

  /** An idle worker does not keep the process from ending; a busy one does. */
  #keepAlive(): void {
    if (this.#pending.size > 0) this.#worker?.ref();
    else this.#worker?.unref();
  }

  #fail(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    for (const pending of this.#pending.values()) {
      pending.reject(new EngineError('runtime', 'engine', 'a worker that answers', error.message, { cause: error }));
    }
  }
}

function cancelledError(): EngineError {
  return new EngineError('cancelled', 'analysis', 'to run to its end', 'a request to stop');
}

function revive(error: WireError): Error {
  if (error.kind === 'engine') return new EngineError(error.code, error.where, error.expected, error.got);
  const revived = new Error(error.message);
  if (error.stack) revived.stack = error.stack;
  return revived;
}
