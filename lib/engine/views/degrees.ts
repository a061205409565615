import { degreesGraph } from '../graphs/frozen.ts';
import { slice } from '../runtime.ts';
import type { Term } from '../request.ts';
import { identity, largest, sumOf, type Asked, type Outcome } from './view.ts';

/** The degree spectrum [M13]: for each k the exact sum of all paths of k components, `logits.b` at 0. */
export async function degreesView(asked: Asked): Promise<Outcome> {
  const { model, question, maxDegree } = asked;
  const run = await model.clean(question.tokens);
  const { direction, bias } = await model.direction(run, question);
  const { patterns, inverse1, inverse2, gates, sources } = run;
  const input = slice(sources, 0);
  const outputs = await model.run('degrees', degreesGraph, { input, direction, patterns, inverse1, inverse2, gates });
  const spectrum: Term[] = Array.from(outputs['spectrum']!.data, (value, degree) => ({
    name: String(degree),
    degree,
    value: degree === 0 ? value + bias : value,
  }));
  const within = spectrum.filter(({ degree }) => degree! <= (maxDegree ?? Infinity));
  const beyond = spectrum.slice(within.length);
  const { terms, remainder } = largest(within, asked.top);
  return identity(terms, remainder + sumOf(beyond), asked.metric);
}
