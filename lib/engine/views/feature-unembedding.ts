import { EngineError } from '../errors.ts';
import { featureRowsGraph, featureTokensGraph, featureTokensName } from '../graphs/features.ts';
import { parseFeature } from '../names.ts';
import type { Term } from '../request.ts';
import { indices } from '../runtime.ts';
import { featureNumbers, onlyDictionary, summaries } from './feature-place.ts';
import type { Outcome, WeightsAsked } from './view.ts';

const DEFAULT_TOP = 10;
const MOST_FEATURES = 64;

/**
 * What one unit of a feature adds to logits off the weights alone [D6], ⟨W_dec, W_U⟩ as `f2.17->TOKEN`: the `top` tokens that
 * it raises most and the `top` that it lowers most, default 10. Norm and later layers are left out; `foldNorm` folds γ and
 * centring of the final norm.
 * @throws EngineError `bad-request` unless `nodes` are features of one dictionary
 */
export async function featureTokensView({ model, nodes, top, foldNorm, dictionaries }: WeightsAsked): Promise<Outcome> {
  if (nodes.length === 0 || nodes.length > MOST_FEATURES) {
    throw new EngineError('bad-request', 'nodes', `from 1 to ${MOST_FEATURES} features, such as f2.17`, `${nodes.length}`);
  }
  const dictionary = onlyDictionary(dictionaries);
  const features = featureNumbers(nodes, parseFeature, dictionary, 'nodes');
  const { decoders } = await dictionary.run('feature-rows', featureRowsGraph, { features: indices(features) });
  const count = Math.min(top ?? DEFAULT_TOP, Math.floor(model.spec.vocabulary / 2));
  const outputs = await model.run(featureTokensName(foldNorm), (spec) => featureTokensGraph(spec, foldNorm), {
    decoders: decoders!,
    count: indices([count]),
  });
  const terms = nodes.flatMap((name, row) =>
    (['high', 'low'] as const).flatMap((end) => {
      const listed = Array.from({ length: count }, (_, rank): Term => {
        const at = row * count + rank;
        return { name: `${name}->${outputs[`${end}Tokens`]!.data[at]!}`, value: outputs[end]!.data[at]! };
      });
      return end === 'high' ? listed : listed.toReversed();
    }),
  );
  return { terms, dictionaries: summaries(dictionaries) };
}
