import { outputsGraph } from './graphs/outputs.ts';
import type { CleanRun, Model } from './model.ts';
import { tensor, type FloatTensor } from './runtime.ts';

/** What nodes write in a run and how far the reference is from it, [nodes, S, d] each in the order of ablatableNodes. */
export interface OutputChanges {
  /** own biases included */
  outputs: FloatTensor;
  /** reference − outputs */
  change: FloatTensor;
}

/** @param reference sources of the reference run, [N, S, d]; null = zero */
export async function changesOf(model: Model, { sources }: CleanRun, reference: FloatTensor | null): Promise<OutputChanges> {
  const against = reference ?? tensor(new Float32Array(sources.data.length), sources.dims);
  const { outputs, change } = await model.run('outputs', outputsGraph, { sources, reference: against });
  return { outputs: outputs!, change: change! };
}
