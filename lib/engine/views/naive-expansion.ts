import { addInto, compose, countSets, sizeWithin, stack } from '../compositions.ts';
import { expansionErrorsGraph, finalStreamGraph } from '../graphs/stages.ts';
import type { Term } from '../request.ts';
import { slice, tensor, type FloatTensor } from '../runtime.ts';
import { stageCount } from '../spec.ts';
import type { Asked, Outcome } from './view.ts';

const USUAL_DEGREE = 3;
const EVERY_POSITION = 'Norms run over every position of the whole prompt, also behind the one that is read.';
const NOT_EXACT =
  'The naive expansion would be exact only if every block were additive, b(u+v) = b(u) + b(v); it is no part of the identity of paths [M15].';

/**
 * The naive residual expansion [M15]: real blocks on composed inputs. Terms by degree: `norm` of the sum of all
 * compositions of that many blocks, and `relativeError` ‖R_K − r‖/‖r‖ of all up to it, r the stream before the final
 * norm; both over all positions of the prompt.
 * @throws EngineError `bad-request` for a degree of too many compositions
 */
export async function naiveExpansionView(asked: Asked): Promise<Outcome> {
  const { model, prompt, control } = asked;
  const count = stageCount(model.spec);
  const maxDegree = sizeWithin(count, asked.maxDegree, USUAL_DEGREE);
  const run = await model.clean(prompt);
  const input = slice(run.sources, 0);
  let sums: FloatTensor = tensor(new Float32Array((maxDegree + 1) * input.data.length), [maxDegree + 1, ...input.dims]);
  sums.data.set(input.data);
  await compose(model, {
    input: input.data,
    tokens: prompt.length,
    maxSize: maxDegree,
    residual: false,
    control,
    async visit(sets) {
      sums = await addInto(
        model,
        sums,
        stack(sets, input.dims),
        sets.map(({ members }) => members.length),
      );
    },
  });
  const { stream } = await model.run('final-stream', finalStreamGraph, { sources: run.sources });
  const { norms, errors } = await model.run('expansion-errors', expansionErrorsGraph, { parts: sums, whole: stream! });
  const terms = Array.from(norms!.data, (norm, degree): Term => ({
    name: String(degree),
    degree,
    norm,
    relativeError: errors!.data[degree]!,
  }));
  return {
    terms: terms.slice(0, asked.top ?? terms.length),
    settings: { maxDegree, blocks: count, evaluations: countSets(count, maxDegree) - 1 },
    notes: [NOT_EXACT, EVERY_POSITION],
  };
}
