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

/** Means kept for each model: one is as large as a factorized run. */
const KEPT_MEANS = 4;

const means = new WeakMap<Model, Map<string, FloatTensor>>();

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
  const kept = means.get(model) ?? new Map<string, FloatTensor>();
  means.set(model, kept);
  const key = prompts.map((tokens) => tokens.join()).join(';');
  let mean = kept.get(key);
  if (!mean) {
    const weight = tensor(Float32Array.of(1 / prompts.length), [1]);
    for (const [index, tokens] of prompts.entries()) {
      await control.checkpoint();
      const { sources } = await model.clean(tokens);
      const total: FloatTensor = mean ?? tensor(new Float32Array(sources.data.length), sources.dims);
      const { sum } = await model.run('weighted-sum', weightedSumGraph, { total, next: sources, weight });
      mean = sum!;
      control.progress(index + 1, prompts.length, 'reference prompts run');
    }
  }
  kept.delete(key);
  kept.set(key, mean!);
  if (kept.size > KEPT_MEANS) kept.delete(kept.keys().next().value!);
  return mean!;
}
