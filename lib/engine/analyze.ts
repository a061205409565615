import { EngineError } from './errors.ts';
import { checkTokens, type Control, type Model, type Question } from './model.ts';
import { KIND_OF_VIEW, VIEWS, type Answer, type AnalyzeRequest, type Reference, type View } from './request.ts';
import { ablateView } from './views/ablate.ts';
import { degreesView } from './views/degrees.ts';
import { directView } from './views/direct.ts';
import { logitsView } from './views/logits.ts';
import { pathEffectView } from './views/path-effect.ts';
import { pathsView } from './views/paths.ts';
import { suffixesView } from './views/suffixes.ts';
import type { Asked, Outcome } from './views/view.ts';

export const ENGINE_VERSION = '0.1.0';
const TOP_LIMIT = 100_000;
/** float32 keeps the identity within this share of Σ|direct terms| [M11]. */

const VIEW_FUNCTIONS: Record<View, (asked: Asked) => Promise<Outcome>> = {
  logits: logitsView,
  direct: directView,
  degrees: degreesView,
  paths: pathsView,
  suffixes: suffixesView,
  'path-effect': pathEffectView,
  ablate: ablateView,
};

const SCOPE =
  'Value paths of this run: attention patterns, norm scales and gates are held; influence through q and k is credited to nobody [M14].';

/** A request whose texts are tokens already. `target` and `foil` are ids; foil null = no foil. */
export type TokenRequest = Omit<AnalyzeRequest, 'prompt' | 'counterfactual' | 'tokens' | 'target' | 'foil' | 'special'> & {
  tokens: readonly number[];
  target?: number;
  foil?: number | null;
};

/**
 * Answers one request on one model.
 * @throws EngineError for whatever the asker can mend, before anything is computed where that can be known
 */
export async function analyze(model: Model, request: TokenRequest, control: Control): Promise<Answer> {
  const started = now();
  const { view } = request;
  if (!VIEWS.includes(view)) throw new EngineError('unknown-view', 'view', VIEWS.join(', '), JSON.stringify(view));
  const position = checkRequest(model, request);
  const tokens = request.tokens.slice(0, position + 1);
  const counterfactual = request.counterfactualTokens?.slice(0, position + 1) ?? null;
  const both = await model.logits(counterfactual ? [tokens, counterfactual] : [tokens]);
  const { vocabulary } = model.spec;
  const logits = both.data.subarray(0, vocabulary);
  const { target, foil } = pickTokens(request, logits, vocabulary);
  const metricOf = (row: Float32Array) => row[target]! - (foil === null ? 0 : row[foil]!);
  const question: Question = { tokens, counterfactual, target, foil };
  const outcome = await VIEW_FUNCTIONS[view]({
    model,
    question,
    metric: metricOf(logits),
    logits,
    top: request.top ?? null,
    maxDegree: request.maxDegree ?? null,
    paths: request.paths ?? [],
    together: request.together ?? false,
    ablate: request.ablate ?? [],
    reference: referenceOf(request),
    untilMass: request.untilMass ?? null,
    byToken: request.byToken ?? false,
    control,
  });
  const { notes = [], reference = null, ...rest } = outcome;
  return {
    view,
    kind: KIND_OF_VIEW[view],
    engineVersion: ENGINE_VERSION,
    model: { name: model.name, hash: model.hash },
    backend: model.runtime.backend,
    reference,
    tokens: [...request.tokens],
    ...(request.counterfactualTokens && { counterfactualTokens: request.counterfactualTokens }),
    position,
    target,
    foil,
    metric: metricOf(logits),
    ...(counterfactual && { counterfactualMetric: metricOf(both.data.subarray(vocabulary)) }),
    ...rest,
    notes: KIND_OF_VIEW[view] === 'identity' && view !== 'logits' && view !== 'direct' ? [...notes, SCOPE] : notes,
    elapsedMs: now() - started,
  };
}

/** Checks everything that can be told without running; gives the position. */
function checkRequest({ spec }: Model, request: TokenRequest): number {
  const { tokens, counterfactualTokens, top, maxDegree, untilMass } = request;
  checkTokens(tokens, spec, 'prompt');
  if (counterfactualTokens) {
    checkTokens(counterfactualTokens, spec, 'counterfactual');
    if (counterfactualTokens.length !== tokens.length) {
      throw new EngineError(
        'bad-tokens',
        'counterfactual',
        `${tokens.length} tokens, as many as the prompt`,
        `${counterfactualTokens.length}`,
      );
    }
  }
  if (top !== undefined) checkWhole('top', top, 1, TOP_LIMIT);
  if (maxDegree !== undefined) checkWhole('max-degree', maxDegree, 0, Number.MAX_SAFE_INTEGER);
  if (untilMass !== undefined && !(untilMass >= 0 && untilMass <= 1)) {
    throw new EngineError('bad-request', 'until-mass', 'a share from 0 to 1', String(untilMass));
  }
  const position = request.position ?? tokens.length - 1;
  checkWhole('position', position, 0, tokens.length - 1);
  for (const name of ['target', 'foil'] as const) {
    const token = request[name];
    if (token !== undefined && token !== null) checkWhole(name, token, 0, spec.vocabulary - 1, 'a token id');
  }
  if (request.target !== undefined && request.target === request.foil) {
    throw new EngineError('bad-request', 'foil', 'another token than the target', String(request.foil));
  }
  return position;
}

function checkWhole(where: string, value: number, least: number, most: number, what = 'a whole number'): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} on` : `from ${least} to ${most}`;
    throw new EngineError('bad-request', where, `${what} ${range}`, String(value));
  }
}

function pickTokens(request: TokenRequest, logits: Float32Array, vocabulary: number): { target: number; foil: number | null } {
  const best = (except: number | null) => {
    let found = except === 0 ? 1 : 0;
    logits.forEach((logit, token) => {
      if (token !== except && logit > logits[found]!) found = token;
    });
    return found;
  };
  const target = request.target ?? best(typeof request.foil === 'number' ? request.foil : null);
  if (request.foil === undefined) return { target, foil: vocabulary > 1 ? best(target) : null };
  return { target, foil: request.foil };
}

function referenceOf(request: TokenRequest): Reference {
  return request.ablation ?? (request.counterfactualTokens ? 'counterfactual' : 'zero');
}

/** Milliseconds; `performance` is in every runtime but not in ES2023's types. */
function now(): number {
  return (globalThis as unknown as { performance: { now(): number } }).performance.now();
}
