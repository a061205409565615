import type { Term } from '../request.ts';
import { ablatedMetrics, ablationSets, constantNotes, referenceOrZero } from './ablations.ts';
import { TOGETHER, type Asked, type Outcome } from './view.ts';

/** The metric after replacing each node's output by the reference, everything downstream recomputed [M7]. */
export async function ablateView(asked: Asked): Promise<Outcome> {
  const sets = ablationSets(asked);
  const values = await ablatedMetrics(asked, sets, await referenceOrZero(asked));
  const terms = asked.ablate.map((name, index): Term => ({ name, value: values[index]! }));
  if (asked.together) terms.push({ name: TOGETHER, value: values.at(-1)! });
  return {
    terms,
    reference: asked.reference,
    notes: constantNotes(asked.ablate),
    ...(asked.together && { joint: { names: [...asked.ablate], value: values.at(-1)! } }),
  };
}
