import { EngineError } from '../engine/index.ts';
import type { CallName, Calls, Device, FromWorker, ToWorker } from './messages.ts';
import type { WebProvider } from './web-runtime.ts';

export type { Device, ModelPlace } from './messages.ts';

export interface CallOptions {
  signal?: AbortSignal;
  onProgress?: (progress: { done: number; total: number; what: string }) => void;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
  options: CallOptions;
}

interface BrowserEngineOptions {
  /** where the self-test's models lie */
  selfTest: string;
  /** null: WebGPU where it works, else WASM */
  provider: WebProvider | null;
  /** the device went away; from now on everything is computed on another one */
  onLost: (why: string) => void;
}

/** The page's side of the engine in this browser. Its worker is started by the first call. */
export class BrowserEngine {
  #worker: Worker | null = null;
  #device: Promise<Device> | null = null;
  #provider: WebProvider | null;
  #nextId = 1;
  readonly #pending = new Map<number, Pending>();

  constructor(private readonly options: BrowserEngineOptions) {
    this.#provider = options.provider;
  }

  /** What it computes with, once that has passed the self-test. @throws EngineError where nothing here computes right */
  device(): Promise<Device> {
    if (this.#device) return this.#device;
    const { selfTest } = this.options;
    this.#device = this.#post('start', { provider: this.#provider, selfTest }, {});
    this.#device.catch(() => (this.#device = null));
    return this.#device;
  }

  async call<Name extends Exclude<CallName, 'start'>>(
    name: Name,
    argument: Calls[Name]['argument'],
    options: CallOptions = {},
  ): Promise<Calls[Name]['result']> {
    await this.device();
    return this.#post(name, argument, options);
  }

  close(): void {
    this.#end(new EngineError('cancelled', 'engine in this browser', 'to stay open', 'its end'));
  }

  #post<Name extends CallName>(name: Name, argument: Calls[Name]['argument'], options: CallOptions): Promise<Calls[Name]['result']> {
    const { signal } = options;
    const id = this.#nextId++;
    const cancel = () => this.#send({ type: 'cancel', id });
    return new Promise<Calls[Name]['result']>((resolve, reject) => {
      if (signal?.aborted) return reject(new EngineError('cancelled', 'analysis', 'to run to its end', 'a request to stop'));
      this.#pending.set(id, { resolve: resolve as Pending['resolve'], reject, options });
      signal?.addEventListener('abort', cancel, { once: true });
      this.#send({ type: 'call', id, name, argument });
    }).finally(() => {
      signal?.removeEventListener('abort', cancel);
      this.#pending.delete(id);
    });
  }

  #send(message: ToWorker): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(message);
  }

  #start(): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'pathboard engine' });
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => this.#receive(data));
    // A worker that cannot be loaded, or ran out of memory, says no more than this.
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      this.#end(new EngineError('runtime', 'engine in this browser', 'a worker that answers', event.message || 'one that ended'));
    });
    return worker;
  }

  #receive(message: FromWorker): void {
    if (message.type === 'lost') return this.#lose(message.why);
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    if (message.type === 'result') pending.resolve(message.result);
    else if (message.type === 'progress') pending.options.onProgress?.(message);
    else {
      const { error } = message;
      pending.reject(
        error.kind === 'engine' ? new EngineError(error.code, error.where, error.expected, error.got) : new Error(error.message),
      );
    }
  }

  /** A device that is lost once is not asked again. */
  #lose(why: string): void {
    this.#provider = 'wasm';
    this.#end(new EngineError('runtime', 'WebGPU', 'a device that stays', why));
    this.options.onLost(why);
  }

  #end(error: EngineError): void {
    this.#worker?.terminate();
    this.#worker = null;
    this.#device = null;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
