import { createHash } from 'node:crypto';
import type { AnalyzeRequest, Answer } from '../lib/engine/index.ts';
import type { Environment } from './app.ts';

/**
 * Of what a run is: inputs as the engine resolved them, so that `" Mary"`, its token id and the default that
 * came out the same are one run, plus the environment.
 */
export function runKey(request: AnalyzeRequest, answer: Answer): string {
  const {
    prompt: _1,
    tokens: _2,
    counterfactual: _3,
    counterfactualTokens: _4,
    target: _5,
    foil: _6,
    position,
    special,
    ablation: _7,
    model: _8,
    prompts: _9,
    dictionaries: _10,
    ...parameters
  } = request;
  return digest({
    inputs: {
      model: answer.model.hash,
      tokens: answer.tokens,
      counterfactualTokens: answer.counterfactualTokens,
      position: answer.position,
      target: answer.target,
      foil: answer.foil,
      reference: answer.reference,
      dictionaries: answer.dictionaries?.map(({ hash }) => hash),
      examples: answer.examples?.map((example) => [example.tokens, example.counterfactualTokens, example.target, example.foil]),
      // The examples of a set may be read at their own last tokens; the answer names the first one's position alone.
      ownPosition: answer.examples && position,
      // How the texts of a reference set became tokens is not in the answer.
      special: request.referencePrompts && special,
      parameters,
    },
    environment: environmentOf(answer),
  });
}

/** Of what was asked, word for word: finds a stored run without executing anything. */
export function requestKey(request: AnalyzeRequest, modelHash: string, environment: Environment): string {
  return digest({ request: { ...request, model: modelHash }, environment });
}

export function environmentOf({ engineVersion, backend }: Answer): Environment {
  return { engineVersion, provider: backend.provider, dtype: backend.dtype };
}

export function digest(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex');
}

/** JSON with sorted keys and without absent fields. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`);
  return `{${fields.join(',')}}`;
}
