import { EngineError } from '../errors.ts';
import { FeatureMaps } from '../feature-maps.ts';
import { readMetricGraph } from '../graphs/causal.ts';
import { changedRunGraph, changedRunName } from '../graphs/changed-run.ts';
import { featureChangesGraph } from '../graphs/features.ts';
import { mixGraph } from '../graphs/outputs.ts';
import { causalMask, metricFeeds } from '../model.ts';
import { parseFeature } from '../names.ts';
import type { Term } from '../request.ts';
import { indices, slice, slices, tensor, type FloatTensor } from '../runtime.ts';
import { stagesOf } from '../stages.ts';
import { batchesOf } from './ablations.ts';
import { featureNumbers, onlyDictionary, summaries } from './feature-place.ts';
import { referenceTokens } from './reference.ts';
import { TOGETHER, type Asked, type Outcome } from './view.ts';

/**
 * The metric after a feature takes another activation at every token [D5]: none, that of the reference run, or its mean over
 * the reference set at each token. What the dictionary leaves unexplained stays, and everything downstream is recomputed.
 */
export async function featureAblateView(asked: Asked): Promise<Outcome> {
  const { model, question, ablate, together, dictionaries } = asked;
  if (ablate.length === 0) throw new EngineError('bad-request', 'ablate', 'at least one feature', 'none');
  const dictionary = onlyDictionary(dictionaries);
  const numbers = featureNumbers(ablate, parseFeature, dictionary, 'ablate');
  if (together && new Set(numbers).size < numbers.length) throw new EngineError('bad-request', 'ablate', 'each feature once', 'one twice');
  const features = new FeatureMaps(model, await model.clean(question.tokens), dictionary);
  const values: number[] = [];
  let joint: FloatTensor | null = null;
  for (const batch of batchesOf(asked, numbers)) {
    await asked.control.checkpoint();
    const { changes } = await dictionary.run('feature-changes', featureChangesGraph, {
      input: await features.input(),
      features: indices(batch),
      reference: await referenceActivations(asked, batch),
    });
    values.push(...(await metricsAfter(asked, features, changes!)));
    if (together) joint = await summed(asked, changes!, joint);
    asked.control.progress(values.length, numbers.length, 'features ablated');
  }
  const terms = ablate.map((name, index): Term => ({ name, value: values[index]! }));
  const [all] = joint ? await metricsAfter(asked, features, joint) : [];
  if (all !== undefined) terms.push({ name: TOGETHER, value: all });
  return {
    terms,
    reference: asked.reference,
    notes: ['A feature takes another activation at every token; what the dictionary leaves unexplained stays as it is [D5].'],
    dictionaries: summaries(dictionaries),
    ...(all !== undefined && { joint: { names: [...ablate], value: all } }),
  };
}

/** [S, K], the activations that take the place of the run's own. */
async function referenceActivations(asked: Asked, numbers: readonly number[]): Promise<FloatTensor> {
  const { model, question, references, control, dictionaries } = asked;
  const dims = [question.tokens.length, numbers.length];
  const mean = tensor(new Float32Array(dims[0]! * dims[1]!), dims);
  const prompts = references.kind === 'mean' ? references.prompts : [referenceTokens(asked)];
  for (const tokens of prompts) {
    if (!tokens) continue;
    await control.checkpoint();
    const features = new FeatureMaps(model, await model.clean(tokens), dictionaries[0]!);
    const nothing = tensor(new Float32Array(tokens.length * features.spec.dModel), [tokens.length, features.spec.dModel]);
    const { activations } = await features.details(await features.whole(), nothing, numbers);
    activations.data.forEach((value, index) => (mean.data[index]! += value / prompts.length));
  }
  return mean;
}

/** The metric of each change [P, S, d] of what the dictionary explains, everything behind it live. */
async function metricsAfter({ model, question }: Asked, features: FeatureMaps, changes: FloatTensor): Promise<number[]> {
  const { run, spec } = features;
  const stages = stagesOf(model.spec);
  // An MLP's output is in the stream that the next stage reads.
  const next = spec.kind === 'residual' ? spec.stage : spec.stage + 1;
  const stage = stages[next];
  if (!stage) {
    const change = tensor(Float32Array.from(lastRows(changes)), [changes.dims[0]!, model.spec.dModel]);
    const { metric } = await model.run('read-metric', readMetricGraph, { ...metricFeeds(question), clean: run.final, change });
    return Array.from(metric!.data);
  }
  const rest = stages.slice(next);
  const { metric } = await model.run(changedRunName(rest), (made) => changedRunGraph(made, rest), {
    ...metricFeeds(question),
    clean: slice(stage.attention ? run.beforeAttention : run.beforeMlp!, stage.layer),
    change: changes,
    mask: rest.some(({ attention }) => attention) ? causalMask(question.tokens.length) : null,
  });
  return Array.from(metric!.data);
}

function lastRows(changes: FloatTensor): number[] {
  const [count, tokens] = changes.dims as [number, number];
  return Array.from({ length: count }, (_, row) => Array.from(slices(slice(changes, row), tokens - 1, 1).data)).flat();
}

/** All changes together, [1, S, d]. */
async function summed({ model }: Asked, changes: FloatTensor, before: FloatTensor | null): Promise<FloatTensor> {
  const count = changes.dims[0]!;
  const weights = tensor(new Float32Array(count).fill(1), [1, count]);
  const mixed = (await model.run('mix', mixGraph, { weights, changes }))['mixed']!;
  return before
    ? tensor(
        mixed.data.map((value, index) => value + before.data[index]!),
        mixed.dims,
      )
    : mixed;
}
