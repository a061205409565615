import type { Term } from '../request.ts';
import { directTerms } from './direct.ts';
import { sumOf, type Asked, type Outcome } from './view.ts';

/**
 * The most likely tokens at the position, by logit; `probability` is the softmax over the whole vocabulary.
 * Names are token ids. The metric's identity error is measured on its direct decomposition.
 */
export async function logitsView(asked: Asked): Promise<Outcome> {
  const { logits } = asked;
  const order = [...logits.keys()].toSorted((a, b) => logits[b]! - logits[a]! || a - b);
  const highest = logits[order[0]!]!;
  const mass = logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0);
  const terms: Term[] = order.slice(0, asked.top ?? order.length).map((token) => ({
    name: String(token),
    logit: logits[token]!,
    probability: Math.exp(logits[token]! - highest) / mass,
  }));
  const sum = sumOf(await directTerms(asked));
  return { terms, sum, error: Math.abs(sum - asked.metric) };
}
