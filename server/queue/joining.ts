import type { Answer } from '../../lib/engine/index.ts';
import type { AnalyzeOptions } from '../context.ts';
import { cancelledError } from './job.ts';

type Progress = NonNullable<AnalyzeOptions['onProgress']>;

interface Shared {
  answer: Promise<Answer>;
  stop: AbortController;
  listeners: Set<Progress>;
  waiting: number;
  ended: boolean;
}

/** Who asks for what is being computed already waits for that. It stops when nobody waits any more. */
export class Joining {
  readonly #shared = new Map<string, Shared>();

  async share(key: string, compute: (options: AnalyzeOptions) => Promise<Answer>, options: AnalyzeOptions): Promise<Answer> {
    const { signal, onProgress } = options;
    if (signal?.aborted) throw cancelledError();
    const shared = this.#shared.get(key) ?? this.#start(key, compute);
    shared.waiting += 1;
    if (onProgress) shared.listeners.add(onProgress);
    try {
      return await unless(signal, shared.answer);
    } finally {
      if (onProgress) shared.listeners.delete(onProgress);
      shared.waiting -= 1;
      if (shared.waiting === 0) this.#leave(key, shared);
    }
  }

  #start(key: string, compute: (options: AnalyzeOptions) => Promise<Answer>): Shared {
    const stop = new AbortController();
    const listeners = new Set<Progress>();
    const onProgress: Progress = (progress) => {
      for (const listener of listeners) listener(progress);
    };
    const answer = compute({ signal: stop.signal, onProgress }).finally(() => {
      shared.ended = true;
      this.#forget(key, shared);
    });
    // Whoever waits is told; once nobody does, there is nobody to tell.
    answer.catch(() => {});
    const shared: Shared = { answer, stop, listeners, waiting: 0, ended: false };
    this.#shared.set(key, shared);
    return shared;
  }

  /** Who asks again from now on must not be given what is about to stop. */
  #leave(key: string, shared: Shared): void {
    this.#forget(key, shared);
    if (!shared.ended) shared.stop.abort();
  }

  #forget(key: string, shared: Shared): void {
    if (this.#shared.get(key) === shared) this.#shared.delete(key);
  }
}

function unless(signal: AbortSignal | undefined, answer: Promise<Answer>): Promise<Answer> {
  if (!signal) return answer;
  return new Promise((resolve, reject) => {
    const stop = () => reject(cancelledError());
    signal.addEventListener('abort', stop, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
