import { EngineError, type AnalyzeRequest, type Answer } from '../../lib/engine/index.ts';
import type { WorkerSummary } from '../../lib/wire.ts';
import type { AnalyzeOptions, Engine, Models } from '../context.ts';

/** Answers at once and always the same, unless told to drift; counts how often it was asked. */
export class FakeEngine implements Engine {
  asked = 0;
  cancelled = 0;
  /** added to every value */
  drift = 0;
  /** when set, an analysis waits until it is aborted */
  stalls = false;
  /** analyses that wait */
  private stalled = 0;

  async analyze(request: AnalyzeRequest, { signal, onProgress }: AnalyzeOptions = {}): Promise<Answer> {
    this.asked += 1;
    if (request.model !== 'toy') throw new EngineError('unknown-model', 'model', 'toy', JSON.stringify(request.model));
    onProgress?.({ done: 1, total: 2, what: 'paths' });
    if (this.stalls) {
      this.stalled += 1;
      await aborted(signal);
      this.stalled -= 1;
      this.cancelled += 1;
      throw new EngineError('cancelled', 'analysis', 'to run to its end', 'a request to stop');
    }
    return answerTo(request, this.drift);
  }

  queue(): { running: number; waiting: number } {
    return { running: this.stalled, waiting: 0 };
  }

  async workers(): Promise<WorkerSummary[]> {
    const devices = [{ engine: 'fake', provider: 'cpu', dtype: 'float32', threads: 1 }];
    const versions = { version: '0.0.0', engineVersion: '0.0.0' };
    const state = { running: this.stalled, startedAt: 0, silentFor: 0, takes: true };
    return [
      {
        id: 'here',
        name: 'here',
        kind: 'server',
        ...versions,
        devices,
        models: [{ name: 'toy', hash: 'f00d', dictionaries: [] }],
        ...state,
      },
    ];
  }

  async close(): Promise<void> {}
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((done) => signal?.addEventListener('abort', () => done()));
}

/** An identity of three terms, or one causal term. */
export function answerTo(request: AnalyzeRequest, drift = 0): Answer {
  const isCausal = request.view === 'path-effect' || request.view === 'ablate';
  const terms = isCausal
    ? (request.paths ?? ['input->a0.h0->logits']).map((name) => ({ name, value: -0.75 + drift }))
    : [
        { name: 'input->logits', degree: 0, value: 0.5 + drift },
        { name: 'input->a0.h0->logits', degree: 1, value: 1.75 + drift },
        { name: 'input->a0.h0->a1.h0->logits', degree: 2, value: -0.25 + drift },
      ];
  return {
    view: request.view,
    kind: isCausal ? 'causal' : 'identity',
    engineVersion: '0.0.0',
    model: { name: request.model, hash: 'f00d' },
    backend: { engine: 'fake', provider: 'cpu', dtype: 'float32' },
    reference: isCausal ? 'zero' : null,
    tokens: [1, 2, 3],
    position: request.position ?? 2,
    target: 7,
    foil: 8,
    metric: 2 + drift,
    terms,
    ...(!isCausal && { remainder: 0, sum: 2 + drift, error: 1e-7 }),
    notes: [],
    elapsedMs: 1,
  };
}

export const fakeModels: Models = {
  list: async () => [
    {
      name: 'toy',
      hash: 'f00d',
      family: 'gpt2',
      layers: 2,
      heads: 1,
      dModel: 4,
      vocabulary: 10,
      context: 16,
      hasMlp: false,
      hasTokenizer: true,
      builtIn: true,
      bytes: 1,
      parameters: 1,
      storedAs: ['float32'],
      source: { kind: 'built-in' },
      importedAt: null,
      example: null,
    },
  ],
  tokenize: async (_, text) => [{ id: 1, text }],
  searchTokens: async (_, query) => [{ id: 1, text: query }],
  filesOf: async () => null,
  dictionaries: async () => [],
  dictionaryFiles: async () => null,
};
