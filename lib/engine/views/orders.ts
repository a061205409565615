import { ordersGraph } from '../graphs/frozen.ts';
import { indices, slice, tensor } from '../runtime.ts';
import type { Asked, Outcome } from './view.ts';

/**
 * Importance by order [M25]: for each k the loss −log softmax(target), nats, of the logits that paths of degree ≤ k
 * alone make, with patterns, norm scales (the final one too) and gates held at the clean run and every bias source
 * counted by its degree, `logits.b` always in. The foil has no part in it. `maxDegree` and `top` cut the list from its
 * end; the setting `lastDegree` is the highest that there is. Source: importance of terms in "A Mathematical Framework for Transformer Circuits".
 */
export async function ordersView({ model, question, maxDegree, top }: Asked): Promise<Outcome> {
  const run = await model.clean(question.tokens);
  const { patterns, inverse1, inverse2, gates, sources, inverseFinal } = run;
  const { losses } = await model.run('orders', ordersGraph, {
    target: indices([question.target]),
    inverseFinal: inverseFinal && tensor(inverseFinal.data.slice(-1), [1]),
    input: slice(sources, 0),
    patterns,
    inverse1,
    inverse2,
    gates,
  });
  const terms = Array.from(losses!.data, (value, degree) => ({ name: String(degree), degree, value }));
  const last = Math.min(maxDegree ?? Infinity, (top ?? Infinity) - 1);
  return {
    terms: terms.slice(0, last + 1),
    settings: { lastDegree: terms.length - 1 },
    notes: [
      'The loss from paths of degree ≤ k is that of logits the model never makes: patterns, norm scales and gates are those of the whole run [M25].',
    ],
  };
}
