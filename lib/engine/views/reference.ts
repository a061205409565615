import { EngineError } from '../errors.ts';
import { weightedSumGraph } from '../graphs/reference.ts';
import type { Control, Model } from '../model.ts';
import { tensor, type FloatTensor } from '../runtime.ts';
import type { ReferenceSource } from './view.ts';

/** What of a view's question decides its reference; an `Asked` is one. */
export interface Referring {
  model: Model;
  references: ReferenceSource;
  control: Control;
}

/** Means kept for each model, in bytes: one is as large as the sources of a factorized run. */
const KEPT_MEANS = 192 * 1024 * 1024;

const means = new WeakMap<Model, KeptTensors>();
/** All tokens of a set as one text, made once for all prompts that share the array. */
const keys = new WeakMap<readonly (readonly number[])[], string>();

/** Tensors by key: those used last, up to a number of bytes, and the very last whatever its size. */
export class KeptTensors {
  readonly #kept = new Map<string, FloatTensor>();
  #bytes = 0;

  /** @param most bytes */
  constructor(readonly most: number) {}

  get(key: string): FloatTensor | undefined {
    const found = this.#take(key);
    if (found) this.#put(key, found);
    return found;
  }

  set(key: string, kept: FloatTensor): void {
    this.#take(key);
    this.#put(key, kept);
    while (this.#bytes > this.most && this.#kept.size > 1) this.#take(this.#kept.keys().next().value!);
  }

  #put(key: string, kept: FloatTensor): void {
    this.#kept.set(key, kept);
    this.#bytes += kept.data.byteLength;
  }

  #take(key: string): FloatTensor | undefined {
    const found = this.#kept.get(key);
    if (found) this.#bytes -= found.data.byteLength;
    this.#kept.delete(key);
    return found;
  }
}

/**
 * The outputs that replace the clean ones [M8], [N, S, d] in the order of `streamSources`; null = zero. `mean` is
 * taken at each position over the clean runs of the reference set.
 * @throws EngineError `bad-request` when a counterfactual is wanted and none was given
 */
export async function referenceSources(asked: Referring): Promise<FloatTensor | null> {
  const { model, references } = asked;
  if (references.kind === 'zero') return null;
  if (references.kind === 'mean') return meanSources(model, references.prompts, asked.control);
  return (await model.clean(tokensOf(references))).sources;
}

/**
 * The tokens of the run that is the reference, as many as the question's; null for `zero` and `mean`, which are
 * no run of one prompt.
 * @throws EngineError `bad-request` when a counterfactual is wanted and none was given
 */
export function referenceTokens({ references }: Pick<Referring, 'references'>): readonly number[] | null {
  return references.kind === 'zero' || references.kind === 'mean' ? null : tokensOf(references);
}

function tokensOf({ tokens }: Extract<ReferenceSource, { kind: 'counterfactual' | 'resample' }>): readonly number[] {
  if (!tokens) throw new EngineError('bad-request', 'ablation counterfactual', 'a counterfactual prompt', 'none');
  return tokens;
}

async function meanSources(model: Model, prompts: readonly (readonly number[])[], control: Control): Promise<FloatTensor> {
  const kept = means.get(model) ?? new KeptTensors(KEPT_MEANS);
  means.set(model, kept);
  const key = keys.get(prompts) ?? prompts.map((tokens) => tokens.join()).join(';');
  keys.set(prompts, key);
  let mean = kept.get(key);
  if (mean) return mean;
  const weight = tensor(Float32Array.of(1 / prompts.length), [1]);
  for (const [index, tokens] of prompts.entries()) {
    await control.checkpoint();
    const { sources } = await model.clean(tokens);
    const total: FloatTensor = mean ?? tensor(new Float32Array(sources.data.length), sources.dims);
    const { sum } = await model.run('weighted-sum', weightedSumGraph, { total, next: sources, weight });
    mean = sum!;
    control.progress(index + 1, prompts.length, 'reference prompts run');
  }
  kept.set(key, mean!);
  return mean!;
}
