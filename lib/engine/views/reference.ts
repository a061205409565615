import { EngineError } from '../errors.ts';
import type { FloatTensor } from '../runtime.ts';
import type { Asked } from './view.ts';

/** The outputs that replace the clean ones, [N, S, d]; null = zero. */
export async function referenceSources({ model, question, reference }: Asked): Promise<FloatTensor | null> {
  if (reference === 'zero') return null;
  if (!question.counterfactual) {
    throw new EngineError('bad-request', 'ablation counterfactual', 'a counterfactual prompt', 'none');
  }
  return (await model.clean(question.counterfactual)).sources;
}
