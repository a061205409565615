import type { DictionaryStore } from './dictionary.ts';
import { EngineError } from './errors.ts';
import { cleanGraph, placeParts, runStacks } from './graphs/clean.ts';
import { forwardGraph } from './graphs/forward.ts';
import { directionGraph } from './graphs/frozen.ts';
import { indices, slice, tensor, type FloatTensor, type Runtime, type Tensor } from './runtime.ts';
import { Sessions } from './sessions.ts';
import type { ModelSpec } from './spec.ts';
import type { Graph } from './onnx.ts';

/** What is asked of a run. `tokens` end at the position that is read: later tokens cannot reach it. */
export interface Question {
  tokens: readonly number[];
  /** as many tokens as `tokens`, or null */
  counterfactual: readonly number[] | null;
  target: number;
  /** null = the plain logit of the target */
  foil: number | null;
}

/** Lets a view report and be stopped between batches. */
export interface Control {
  progress(done: number, total: number, what: string): void;
  /** Gives waiting messages a turn. @throws EngineError `cancelled` */
  checkpoint(): Promise<void>;
}

/** One run, factorized, with the constants of its frozen maps. Shapes: graphs/clean.ts. */
export interface CleanRun {
  tokens: readonly number[];
  sources: FloatTensor;
  beforeAttention: FloatTensor;
  /** null without MLPs */
  beforeMlp: FloatTensor | null;
  /** [d], the stream at the last token */
  final: FloatTensor;
  patterns: FloatTensor;
  /** null without norms */
  inverse1: FloatTensor | null;
  inverse2: FloatTensor | null;
  inverseFinal: FloatTensor | null;
  gates: FloatTensor | null;
}

/** u [d] and `logits.b` of a question [M5]. */
export interface Direction {
  direction: FloatTensor;
  bias: number;
}

/** Factorized runs kept: a prompt and its counterfactual always, more as long as they are small. */
const KEPT_RUNS = { least: 2, most: 64, bytes: 192 * 1024 * 1024 };
/** Sessions kept open; each has threads of its own. */
const KEPT_SESSIONS = 192;
/** Prompts whose logits are kept. */
const KEPT_LOGITS = 32;

/** A model that runs: its graphs are opened when first needed and kept. */
export class Model {
  readonly #sessions: Sessions;
  readonly #runs = new Map<string, Promise<CleanRun>>();
  readonly #logits = new Map<string, Promise<Float32Array>>();

  constructor(
    readonly name: string,
    readonly hash: string,
    readonly spec: ModelSpec,
    readonly runtime: Runtime,
    /** where its sparse dictionaries come from; null = there are none */
    readonly dictionaries: DictionaryStore | null = null,
  ) {
    this.#sessions = new Sessions(runtime, KEPT_SESSIONS);
  }

  /** Runs the graph of that name, which `make` writes when it is first asked for or was closed since. */
  async run(
    name: string,
    make: (spec: ModelSpec) => Graph,
    feeds: Record<string, Tensor | null>,
    into?: Record<string, FloatTensor>,
  ): Promise<Record<string, FloatTensor>> {
    return this.#sessions.run(name, () => make(this.spec), feeds, into);
  }

  /** Logits [B, V] at the last token of each prompt (all of one length), from the ordinary forward graph; the last few are kept. */
  async logits(prompts: readonly (readonly number[])[]): Promise<FloatTensor> {
    const missing = prompts.filter((tokens) => !this.#logits.has(tokens.join()));
    const computed = missing.length === 0 ? null : this.#forward(missing);
    missing.forEach((tokens, index) => {
      const key = tokens.join();
      const row = computed!.then((logits) => slice(logits, index).data);
      this.#logits.set(key, row);
      row.catch(() => this.#logits.delete(key));
    });
    const rows = await Promise.all(prompts.map((tokens) => this.#logits.get(tokens.join())!));
    while (this.#logits.size > KEPT_LOGITS) this.#logits.delete(this.#logits.keys().next().value!);
    const { vocabulary } = this.spec;
    const all = new Float32Array(rows.length * vocabulary);
    rows.forEach((row, index) => all.set(row, index * vocabulary));
    return tensor(all, [rows.length, vocabulary]);
  }

  async #forward(prompts: readonly (readonly number[])[]): Promise<FloatTensor> {
    const length = prompts[0]!.length;
    const tokens = indices(prompts.flat(), [prompts.length, length]);
    const { logits } = await this.run('forward', forwardGraph, { tokens, mask: causalMask(length) });
    return logits!;
  }

  /** The factorized run of a prompt; the last few are kept. */
  async clean(tokens: readonly number[]): Promise<CleanRun> {
    const key = tokens.join();
    const known = this.#runs.get(key);
    const run = known ?? this.#runClean(tokens);
    this.#runs.delete(key);
    this.#runs.set(key, run);
    run.catch(() => this.#runs.delete(key));
    while (this.#runs.size > this.#mostRuns(tokens.length)) this.#runs.delete(this.#runs.keys().next().value!);
    return run;
  }

  async direction(run: CleanRun, question: Question): Promise<Direction> {
    const inverse = run.inverseFinal && tensor(run.inverseFinal.data.slice(-1), [1]);
    const outputs = await this.run('direction', directionGraph, { ...metricFeeds(question), inverse });
    return { direction: outputs['direction']!, bias: outputs['bias']!.data[0]! };
  }

  async close(): Promise<void> {
    this.#runs.clear();
    this.#logits.clear();
    await Promise.all([this.#sessions.close(), this.dictionaries?.close()]);
  }

  /** Runs of this length that may be kept; their sources, gates and patterns are what weighs. */
  #mostRuns(tokens: number): number {
    const { layers, heads, dModel, dMlp } = this.spec;
    const numbers = tokens * (dModel * (layers * (heads + 5) + 2) + layers * (dMlp + heads * tokens));
    const { least, most, bytes } = KEPT_RUNS;
    return Math.min(most, Math.max(least, Math.floor(bytes / (4 * numbers))));
  }

  async #runClean(tokens: readonly number[]): Promise<CleanRun> {
    const length = tokens.length;
    const { stacks, into } = runStacks(this.spec, length);
    const outputs = await this.run('clean', cleanGraph, { tokens: indices(tokens), mask: causalMask(length) }, into);
    placeParts(outputs, into);
    return readRun(tokens, { ...outputs, ...stacks }, this.spec);
  }
}

/** A run from the outputs of its graph and their stacks. */
export function readRun(tokens: readonly number[], outputs: Record<string, FloatTensor>, { dModel }: ModelSpec): CleanRun {
  const { sources, beforeAttention, patterns, final } = outputs;
  return {
    tokens,
    sources: sources!,
    beforeAttention: beforeAttention!,
    beforeMlp: outputs['beforeMlp'] ?? null,
    final: tensor(final!.data.slice(-dModel), [dModel]),
    patterns: patterns!,
    inverse1: outputs['inverse1'] ?? null,
    inverse2: outputs['inverse2'] ?? null,
    inverseFinal: outputs['inverseFinal'] ?? null,
    gates: outputs['gates'] ?? null,
  };
}

/** The tokens of the metric as the graphs want them. */
export function metricFeeds({ target, foil }: Question): Record<string, Tensor> {
  return {
    target: indices([target]),
    foil: indices([foil ?? 0]),
    foilWeight: tensor(Float32Array.of(foil === null ? 0 : 1), [1]),
  };
}

/** 0 where a query may look, a number that softmax takes to 0 where it may not, [S, S]. */
export function causalMask(length: number): FloatTensor {
  const data = new Float32Array(length * length);
  for (let query = 0; query < length; query++) data.fill(-1e30, query * length + query + 1, (query + 1) * length);
  return tensor(data, [length, length]);
}

/** Throws unless the ids are in the vocabulary and the prompt fits the context. `where` starts the message. */
export function checkTokens(tokens: readonly number[], spec: ModelSpec, where: string): void {
  if (tokens.length === 0) throw new EngineError('bad-tokens', where, 'at least one token', 'an empty prompt');
  if (tokens.length > spec.context) {
    throw new EngineError('bad-tokens', where, `at most ${spec.context} tokens, the model's context`, `${tokens.length}`);
  }
  tokens.forEach((token, index) => {
    if (!Number.isInteger(token) || token < 0 || token >= spec.vocabulary) {
      throw new EngineError('bad-tokens', `${where}: token ${index}`, `an id from 0 to ${spec.vocabulary - 1}`, String(token));
    }
  });
}
