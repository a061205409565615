import { Effects } from '../copies.ts';
import { EngineError } from '../errors.ts';
import { checkPath, degreeOf, parsePath, type Path } from '../names.ts';
import type { Term } from '../request.ts';
import { referenceSources } from './reference.ts';
import { TOGETHER, type Asked, type Outcome } from './view.ts';

/**
 * The causal effect of each path alone [M16]: its first node's output is replaced by the reference, on this path
 * only, and every node on it is recomputed; with `together` also of all at once. Effects need not add up.
 */
export async function pathEffectView(asked: Asked): Promise<Outcome> {
  const { model, question } = asked;
  if (asked.paths.length === 0) throw new EngineError('bad-request', 'path-effect', 'at least one path', 'none');
  const paths = asked.paths.map((name) => causalPath(name, asked));
  const run = await model.clean(question.tokens);
  const effects = await Effects.prepare(model, run, question, await referenceSources(asked));
  const sets: Path[][] = paths.map((path) => [path]);
  if (asked.together) sets.push(paths);
  const values = await effects.of(sets, asked.control);
  const terms = asked.paths.map((name, index): Term => ({ name, degree: degreeOf(paths[index]!), value: values[index]! }));
  if (asked.together) terms.push({ name: TOGETHER, value: values.at(-1)! });
  return {
    terms,
    reference: asked.reference,
    ...(asked.together && { joint: { names: [...asked.paths], value: values.at(-1)! } }),
  };
}

/** @throws EngineError `bad-path` unless the path is one of the model whose first node can write something else */
export function causalPath(name: string, { model }: Pick<Asked, 'model'>): Path {
  const path = parsePath(name);
  checkPath(path, model.spec);
  const { kind } = path[0]!.node;
  if (kind === 'attn-bias' || kind === 'mlp-bias' || kind === 'logits-bias') {
    throw new EngineError(
      'bad-path',
      `path ${JSON.stringify(name)}`,
      'input, a head or an MLP at its start',
      'a bias, which is the same in every run',
    );
  }
  return path;
}
