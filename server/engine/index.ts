import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { EngineError } from '../../lib/engine/index.ts';
import type { AnalyzeOptions, Engine, Models } from '../context.ts';
import { cpuDevice, type Device } from '../queue/device.ts';
import { cancelledError } from '../queue/job.ts';
import { createLocalQueue } from '../queue/local.ts';
import { revive } from '../queue/wire-error.ts';
import type { ServerDevice } from './device.ts';
import { refuseTf32, wantedDevice, type WantedDevice } from './wanted-device.ts';
import type { CallName, Calls, FromWorker, ToWorker, WorkerData } from './messages.ts';

export interface EngineOptions {
  /** PATHBOARD_HOME */
  home: string;
  /** threads for inference; default all cores but one, which stays free for the server */
  threads?: number;
  /** default: what PATHBOARD_DEVICE and PATHBOARD_PRECISION say */
  wanted?: WantedDevice;
}

interface CreatedEngine extends Engine {
  models: Models;
  /** what computes, as far as it is known: once {@link device} has been asked for, what that found */
  devices: Device[];
  /** tries out what there is, once */
  device(): Promise<ServerDevice>;
}

/** The inference worker, and a second one for texts and model folders that never waits for an analysis. */
export function createEngine({
  home,
  threads = Math.max(1, availableParallelism() - 1),
  wanted = wantedDevice(process.env),
}: EngineOptions): CreatedEngine {
  refuseTf32();
  const inference = new WorkerClient({ home, threads, wanted, inBackground: true });
  const text = new WorkerClient({ home, threads: 1, wanted, inBackground: false });
  const models: Models = {
    list: () => text.call('listModels', null),
    tokenize: (model, value, special = true) => text.call('tokenize', { model, text: value, special }),
    searchTokens: (model, query, limit) => text.call('searchTokens', { model, query, limit }),
    filesOf: (hash) => text.call('filesOf', { hash }),
    dictionaries: (model) => text.call('dictionaries', { model }),
    dictionaryFiles: (hash) => text.call('dictionaryFiles', { hash }),
  };
  const devices = [cpuDevice(threads)];
  const jobs = createLocalQueue({
    compute: (request, options) => inference.call('analyze', request, options),
    models,
    devices,
    async close() {
      await Promise.all([inference.close(), text.close()]);
    },
  });
  const device = async () => {
    const found = await inference.call('device', null);
    const { provider, precision: dtype, fellBack, why } = found;
    devices[0] = { ...cpuDevice(threads), provider, dtype, ...(fellBack && why !== null && { notCuda: why }) };
    return found;
  };
  return { ...jobs, models, devices, device };
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
  readonly #pending = new Map<number, Pending>();

  constructor(readonly data: WorkerData) {}

  async call<Name extends CallName>(
    name: Name,
    argument: Calls[Name]['argument'],
    options: AnalyzeOptions = {},
  ): Promise<Calls[Name]['result']> {
    const { signal } = options;
    if (signal?.aborted) throw cancelledError();
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
    }
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = null;
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
