import { EngineError, type AnalyzeRequest, type Answer } from '../../lib/engine/index.ts';
import type { AnalyzeOptions, Engine } from '../context.ts';
import { answerTo, fakeModels } from '../testing/fake-engine.ts';
import { cpuDevice } from './device.ts';
import { createLocalQueue } from './local.ts';

/** Computes what it is told to, when it is told to: jobs go by their prompts. */
export class Bench {
  /** prompts of what was begun, in that order */
  readonly begun: string[] = [];
  readonly stopped: string[] = [];
  /** whether what begins waits to be let go */
  holds = true;
  /** the only model that it has */
  model = 'toy';
  readonly #held = new Map<string, (() => void)[]>();

  compute = async (request: AnalyzeRequest, { signal, onProgress }: Pick<AnalyzeOptions, 'signal' | 'onProgress'>): Promise<Answer> => {
    const name = request.prompt ?? '';
    if (request.model !== this.model) throw new EngineError('unknown-model', 'model', this.model, JSON.stringify(request.model));
    this.begun.push(name);
    if (name === 'wrong') throw new EngineError('bad-tokens', 'prompt', 'tokens', 'none');
    onProgress?.({ done: 1, total: 2, what: `of ${name}` });
    if (this.holds) await this.#hold(name, signal);
    return answerTo(request);
  };

  /** What has begun under this name ends. */
  let(name: string): void {
    for (const go of this.#held.get(name) ?? []) go();
    this.#held.delete(name);
  }

  letAll(): void {
    this.holds = false;
    for (const name of this.#held.keys()) this.let(name);
  }

  /** The engine of one process. */
  engine(): Engine {
    return createLocalQueue({
      compute: (request, options) => this.compute(request, options),
      models: fakeModels,
      devices: [cpuDevice(1)],
      close: async () => {},
    });
  }

  #hold(name: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#held.set(name, [...(this.#held.get(name) ?? []), resolve]);
      signal?.addEventListener('abort', () => {
        this.stopped.push(name);
        reject(new EngineError('cancelled', 'analysis', 'to run to its end', 'a request to stop'));
      });
    });
  }
}

export function short(prompt: string): AnalyzeRequest {
  return { view: 'logits', model: 'toy', prompt };
}

export function long(prompt: string): AnalyzeRequest {
  return { view: 'paths', model: 'toy', prompt };
}
