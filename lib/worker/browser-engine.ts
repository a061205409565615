import { EngineError } from '../engine/index.ts';
import type { CallName, Calls, Device, FromWorker, ToWorker, WireError } from './messages.ts';
import type { WebProvider } from './web-runtime.ts';

export type { Device, ModelPlace } from './messages.ts';

export interface CallOptions {
  signal?: AbortSignal;
  onProgress?: (progress: { done: number; total: number; what: string }) => void;
}

interface Pending {
  name: CallName;
  argument: unknown;
  resolve(result: unknown): void;
  reject(error: Error): void;
  options: CallOptions;
}

interface BrowserEngineOptions {
  /** where the self-test's models lie */
  selfTest: string;
  /** null: WebGPU where it works, else WASM */
  provider: WebProvider | null;
  /** WebGPU went away; what was under way goes on on the device that took its place */
  onLost: (why: string, device: Device) => void;
  /** its worker ended with what it did; the next call starts another one */
  onBroken?: (why: string) => void;
}

/** The page's side of the engine in this browser. Its worker is started by the first call. */
export class BrowserEngine {
  #worker: Worker | null = null;
  #device: Promise<Device> | null = null;
  #provider: WebProvider | null;
  #lost: string | null = null;
  #nextId = 1;
  readonly #pending = new Map<number, Pending>();

  constructor(private readonly options: BrowserEngineOptions) {
    this.#provider = options.provider;
  }

  /** What it computes with, once that has passed the self-test. @throws EngineError where nothing here computes right */
  device(): Promise<Device> {
    if (this.#device) return this.#device;
    const { selfTest } = this.options;
    const device = this.#post('start', { provider: this.#provider, selfTest, lost: this.#lost }, {});
    this.#device = device;
    device.catch(() => {
      if (this.#device === device) this.#device = null;
    });
    return device;
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
      if (signal?.aborted) return reject(cancelledError());
      this.#pending.set(id, { name, argument, resolve: resolve as Pending['resolve'], reject, options });
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
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      if (this.#worker === worker) this.#receive(data);
    });
    // A worker that cannot be loaded, or ran out of memory, says no more than this.
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      if (this.#worker !== worker) return;
      this.#break(new EngineError('runtime', 'engine in this browser', 'a worker that answers', event.message || 'one that ended'));
    });
    return worker;
  }

  #receive(message: FromWorker): void {
    if (message.type === 'lost') return void this.#lose(message.why);
    if (message.type === 'broken') return this.#break(revive(message.error));
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    if (message.type === 'result') pending.resolve(message.result);
    else if (message.type === 'progress') pending.options.onProgress?.(message);
    else pending.reject(revive(message.error));
  }

  /** A device that is lost once is not asked again: a new worker does on the CPU what was under way. */
  async #lose(why: string): Promise<void> {
    if (this.#provider === 'wasm') return;
    this.#provider = 'wasm';
    this.#lost = why;
    this.#worker?.terminate();
    this.#worker = null;
    this.#device = null;
    const under = [...this.#pending];
    try {
      const device = await this.device();
      this.options.onLost(why, device);
      for (const [id, { name, argument, resolve, reject, options }] of under) {
        if (options.signal?.aborted) reject(cancelledError());
        else if (name === 'start') resolve(device);
        else this.#send({ type: 'call', id, name, argument });
      }
    } catch (error) {
      for (const [, { reject }] of under) reject(error as Error);
    }
  }

  #break(error: Error): void {
    this.#end(error);
    this.options.onBroken?.(error.message);
  }

  #end(error: Error): void {
    this.#worker?.terminate();
    this.#worker = null;
    this.#device = null;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

function cancelledError(): EngineError {
  return new EngineError('cancelled', 'analysis', 'to run to its end', 'a request to stop');
}

function revive(error: WireError): Error {
  return error.kind === 'engine' ? new EngineError(error.code, error.where, error.expected, error.got) : new Error(error.message);
}
