import { EngineError, analyze, type Model, type TokenRequest } from '../engine/index.ts';

/** Numbers of a small model with random weights, in float64 from an independent implementation. */
export interface KnownNumbers {
  tokens: number[];
  counterfactual_tokens: number[];
  position: number;
  target: number;
  foil: number;
  metric: number;
  direct: Record<string, number>;
  degree_spectrum: number[];
  path_effect: Record<string, number>;
}

/** What an answer in float32 may differ by, as a share of the largest number of its table; products in float16 may by more. */
const TOLERANCE = { float32: 1e-4, float16: 3e-2 };

/**
 * Asks for numbers that are known: the metric by the ordinary forward graph, what nodes add, the degrees by frozen maps,
 * and path effects. Gives the largest difference.
 * @throws EngineError `runtime` where one is further off than the model's precision allows, or is none
 */
export async function selfTest(model: Model, known: KnownNumbers): Promise<number> {
  const { tokens, position, target, foil } = known;
  const question = { model: model.name, tokens, counterfactualTokens: known.counterfactual_tokens, position, target, foil };
  const ask = (more: Partial<TokenRequest> & Pick<TokenRequest, 'view'>) =>
    analyze(model, { ...question, ...more }, { progress() {}, checkpoint: async () => {} });
  const tolerance = TOLERANCE[model.runtime.backend.dtype === 'float16' ? 'float16' : 'float32'];
  const differenceOf = (what: string, found: readonly number[], wanted: readonly number[]) => within(tolerance, what, found, wanted);
  const direct = await ask({ view: 'direct' });
  const degrees = await ask({ view: 'degrees' });
  const effects = await ask({ view: 'path-effect', paths: Object.keys(known.path_effect) });
  return Math.max(
    differenceOf('metric', [direct.metric ?? Number.NaN], [known.metric]),
    differenceOf(
      'direct',
      valuesOf(direct),
      direct.terms.map(({ name }) => known.direct[name] ?? Number.NaN),
    ),
    differenceOf('degrees', valuesOf(degrees), known.degree_spectrum),
    differenceOf('path effects', valuesOf(effects), Object.values(known.path_effect)),
  );
}

const valuesOf = ({ terms }: { terms: readonly { value?: number }[] }) => terms.map(({ value = Number.NaN }) => value);

function within(tolerance: number, what: string, found: readonly number[], wanted: readonly number[]): number {
  const scale = Math.max(...wanted.map(Math.abs));
  const differences = wanted.map((value, index) => Math.abs((found[index] ?? Number.NaN) - value) / scale);
  const largest = Math.max(...differences);
  if (found.length === wanted.length && largest <= tolerance) return largest;
  throw new EngineError('runtime', `self-test: ${what}`, `known numbers to ${tolerance} of the largest`, `a difference of ${largest}`);
}
