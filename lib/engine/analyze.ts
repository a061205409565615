import { openDictionaries, type Dictionary } from './dictionary.ts';
import { EngineError } from './errors.ts';
import { checkTokens, type Control, type Model } from './model.ts';
import { EXAMPLE_LIMIT, type TokenExample } from './prompt-sets.ts';
import { referenceKind, referencesOf, usesReference, type Prompt, type ReferenceChoice } from './references.ts';
import { GRANULARITIES, KIND_OF_VIEW, VIEWS, type Answer, type AnsweredExample, type Reference, type View } from './request.ts';
import { checkOptionsOf } from './options.ts';
import type { TokenRequest } from './token-request.ts';
import { SetMean, checkOfSet, meanOf, topOfExample } from './sets.ts';
import { runSettings, weightSettings } from './settings.ts';
import type { ModelSpec } from './spec.ts';
import { VIEW_FUNCTIONS, type PromptView } from './views/index.ts';
import { SCOPE } from './views/view.ts';
import type { AskedExample, Options, Outcome, ReferenceSource, SetExample, SetView, WeightsView } from './views/view.ts';

export const ENGINE_VERSION = '0.2.0';
const TOP_LIMIT = 100_000;
const STEPS_LIMIT = 1000;
const SEED_LIMIT = 2 ** 32 - 1;

/** Identity views whose terms are no frozen paths. */
const WITHOUT_SCOPE = new Set<View>(['logits', 'direct', 'interactions', 'heads', 'virtual-head', 'features', 'feature-edges']);

/** A prompt that passed all checks; `tokens` are whole, `position` is the last that counts. */
interface Planned extends Prompt {
  target: number | undefined;
  foil: number | null | undefined;
}

/**
 * Answers one request on one model.
 * @throws EngineError for whatever the asker can mend, before anything is computed where that can be known
 */
export async function analyze(model: Model, request: TokenRequest, control: Control): Promise<Answer> {
  const started = now();
  const { view } = request;
  if (!VIEWS.includes(view)) throw new EngineError('unknown-view', 'view', VIEWS.join(', '), JSON.stringify(view));
  checkOptionsOf(view, request);
  checkOptions(request);
  const kind = KIND_OF_VIEW[view];
  const found = VIEW_FUNCTIONS[view];
  const answering = found.of === 'weights' ? ofWeights(found.answer, model, request, control) : ofRuns(found, model, request, control);
  const { notes = [], ...outcome } = await answering;
  return {
    view,
    kind,
    engineVersion: ENGINE_VERSION,
    model: { name: model.name, hash: model.hash },
    backend: model.runtime.backend,
    ...outcome,
    reference: outcome.reference ?? null,
    notes: kind === 'identity' && !WITHOUT_SCOPE.has(view) ? [...notes, SCOPE] : notes,
    elapsedMs: now() - started,
  };
}

type Asking = Pick<Answer, 'tokens' | 'counterfactualTokens' | 'position' | 'target' | 'foil' | 'metric' | 'counterfactualMetric'>;

async function ofWeights(answerOf: WeightsView, model: Model, request: TokenRequest, control: Control): Promise<Outcome & Asking> {
  const { view, top = null, nodes = [], edges = [], seed = 0, foldNorm = false } = request;
  for (const field of ['tokens', 'prompts', 'counterfactualTokens', 'referencePrompts', 'position', 'target', 'foil'] as const) {
    if (request[field] !== undefined) {
      throw new EngineError('bad-request', field === 'tokens' ? 'prompt' : field, `none, since ${view} is of weights alone`, 'one');
    }
  }
  const dictionaries = await openDictionaries(model, request.dictionaries ?? []);
  const outcome = await answerOf({ model, top, nodes, edges, seed, foldNorm, dictionaries, control });
  const settings = { ...weightSettings(request), ...outcome.settings };
  return { ...outcome, settings, tokens: [], position: null, target: null, foil: null, metric: null };
}

async function ofRuns(found: PromptView, model: Model, request: TokenRequest, control: Control): Promise<Outcome & Asking> {
  const { view, prompts, position = null } = request;
  const planned = plan(model, request);
  if (prompts)
    checkOfSet(
      view,
      planned.map((prompt) => prompt.position + 1),
      view === 'heads' && (request.nodes ?? []).length > 0,
      request.positions ?? false,
    );
  const choice: ReferenceChoice = {
    ablation: request.ablation,
    set: request.referencePrompts ?? prompts ?? null,
    seed: request.seed ?? 0,
  };
  const reference = referenceKind(view, planned, choice);
  const sources = usesReference(view)
    ? referencesOf(reference, planned, choice, model.spec)
    : planned.map((): ReferenceSource => ({ kind: 'zero' }));
  const options = optionsOf(model, request, reference, await openDictionaries(model, request.dictionaries ?? []), control);
  const { outcome, answered } = await compute(found, request, planned, sources, options);
  const first = answered[0]!;
  const counterfactuals = answered.flatMap(({ counterfactualMetric }) => counterfactualMetric ?? []);
  return {
    ...outcome,
    tokens: [...planned[0]!.tokens],
    ...(first.counterfactualTokens && { counterfactualTokens: first.counterfactualTokens }),
    position: planned[0]!.position,
    target: first.target,
    foil: first.foil,
    metric: meanOf(answered.map(({ metric }) => metric)),
    ...(counterfactuals.length === answered.length && { counterfactualMetric: meanOf(counterfactuals) }),
    ...(prompts && { examples: answered }),
    settings: { ...runSettings(request, reference, prompts ? position : planned[0]!.position, sources[0]!), ...outcome.settings },
  };
}

interface Computed {
  outcome: Outcome;
  answered: AnsweredExample[];
}

async function compute(
  found: PromptView,
  request: TokenRequest,
  planned: readonly Planned[],
  sources: readonly ReferenceSource[],
  options: Options,
): Promise<Computed> {
  const { view, prompts } = request;
  const { model, control, top } = options;
  if (found.of === 'set') return computeSet(found.answer, planned, sources, options);
  const ofRun = found.answer;
  if (!prompts) {
    const asked = await ask(model, planned[0]!, sources[0]!);
    const outcome = await ofRun({ ...options, ...asked });
    return { outcome, answered: [answeredOf(planned[0]!, asked, outcome)] };
  }
  const mean = new SetMean(view, planned.length, top);
  const answered: AnsweredExample[] = [];
  for (const [index, prompt] of planned.entries()) {
    await control.checkpoint();
    const asked = await ask(model, prompt, sources[index]!);
    const within: Control = {
      progress: (done, total, what) => control.progress(done, total, `${what}, prompt ${index + 1} of ${planned.length}`),
      checkpoint: () => control.checkpoint(),
    };
    const outcome = await ofRun({ ...options, ...asked, top: topOfExample(view, top), control: within });
    mean.add(outcome);
    answered.push(answeredOf(prompt, asked, outcome));
    control.progress(index + 1, planned.length, 'prompts analysed');
  }
  return { outcome: mean.finish(meanOf(answered.map(({ metric }) => metric))), answered };
}

async function computeSet(
  ofSet: SetView,
  planned: readonly Planned[],
  sources: readonly ReferenceSource[],
  options: Options,
): Promise<Computed> {
  const examples: SetExample[] = [];
  const answered: AnsweredExample[] = [];
  for (const [index, prompt] of planned.entries()) {
    await options.control.checkpoint();
    const asked = await ask(options.model, prompt, sources[index]!);
    const { logits: _, ...example } = asked;
    examples.push(example);
    answered.push(answeredOf(prompt, asked, null));
    options.control.progress(answered.length, planned.length, 'prompts run');
  }
  return { outcome: await ofSet({ ...options, examples }), answered };
}

type Ready = AskedExample & { counterfactualMetric: number | null };

/** Runs the ordinary forward graph, which decides what was left to default. */
async function ask(
  model: Model,
  { tokens, counterfactualTokens, position, ...wanted }: Planned,
  references: ReferenceSource,
): Promise<Ready> {
  const cropped = tokens.slice(0, position + 1);
  const counterfactual = counterfactualTokens?.slice(0, position + 1) ?? null;
  const both = await model.logits(counterfactual ? [cropped, counterfactual] : [cropped]);
  const { vocabulary } = model.spec;
  checkFinite(both.data);
  const logits = both.data.subarray(0, vocabulary);
  const { target, foil } = pickTokens(wanted, logits, vocabulary);
  const metricOf = (row: Float32Array) => row[target]! - (foil === null ? 0 : row[foil]!);
  return {
    question: { tokens: cropped, counterfactual, target, foil },
    prompt: tokens,
    metric: metricOf(logits),
    counterfactualMetric: counterfactual && metricOf(both.data.subarray(vocabulary)),
    logits,
    references,
  };
}

/** Weights or activations that are not numbers leave nothing to split. */
function checkFinite(logits: Float32Array): void {
  const broken = logits.reduce((count, logit) => count + Number(!Number.isFinite(logit)), 0);
  if (broken > 0) throw new EngineError('runtime', 'forward pass', 'finite logits', `${broken} of ${logits.length} that are not`);
}

function answeredOf({ tokens, counterfactualTokens }: Planned, ready: Ready, outcome: Outcome | null): AnsweredExample {
  const { question, metric, counterfactualMetric, references } = ready;
  return {
    tokens: [...tokens],
    ...(counterfactualTokens && { counterfactualTokens: [...counterfactualTokens] }),
    target: question.target,
    foil: question.foil,
    metric,
    ...(counterfactualMetric !== null && { counterfactualMetric }),
    ...(outcome?.error !== undefined && { error: outcome.error }),
    ...(references.kind === 'resample' && { donor: references.donor }),
  };
}

function optionsOf(
  model: Model,
  request: TokenRequest,
  reference: Reference,
  dictionaries: readonly Dictionary[],
  control: Control,
): Options {
  return {
    model,
    top: request.top ?? null,
    maxDegree: request.maxDegree ?? null,
    paths: request.paths ?? [],
    edges: request.edges ?? [],
    allEdges: request.allEdges ?? false,
    together: request.together ?? false,
    ablate: request.ablate ?? [],
    nodes: request.nodes ?? [],
    granularity: request.granularity ?? 'head',
    steps: request.steps ?? null,
    seed: request.seed ?? 0,
    foldNorm: request.foldNorm ?? false,
    reference,
    untilMass: request.untilMass ?? null,
    byToken: request.byToken ?? false,
    positions: request.positions ?? false,
    dictionaries,
    single: request.prompts === undefined,
    control,
  };
}

function checkOptions({ top, maxDegree, untilMass, steps, seed, granularity }: TokenRequest): void {
  if (top !== undefined) checkWhole('top', top, 1, TOP_LIMIT);
  if (maxDegree !== undefined) checkWhole('max-degree', maxDegree, 0, Number.MAX_SAFE_INTEGER);
  if (steps !== undefined) checkWhole('steps', steps, 1, STEPS_LIMIT);
  if (seed !== undefined) checkWhole('seed', seed, 0, SEED_LIMIT);
  if (untilMass !== undefined && !(untilMass >= 0 && untilMass <= 1)) {
    throw new EngineError('bad-request', 'until-mass', 'a share from 0 to 1', String(untilMass));
  }
  if (granularity !== undefined && !GRANULARITIES.includes(granularity)) {
    throw new EngineError('bad-request', 'granularity', GRANULARITIES.join(', '), JSON.stringify(granularity));
  }
}

/** The prompts of a request, all checks passed that need no run. */
function plan({ spec }: Model, request: TokenRequest): Planned[] {
  const { tokens, prompts, counterfactualTokens, target, foil } = request;
  if ((tokens === undefined) === (prompts === undefined)) {
    throw new EngineError('bad-request', 'prompt', 'either tokens or a prompt set', tokens ? 'both' : 'neither');
  }
  if (!prompts) return [planOne(spec, { tokens: tokens!, counterfactualTokens, target, foil }, request.position, '')];
  if (counterfactualTokens) {
    throw new EngineError('bad-request', 'counterfactual', "each example's own in a prompt set", 'one for all');
  }
  for (const [name, value] of Object.entries({ target, foil })) {
    if (value !== undefined && prompts.every((example) => example[name as 'target' | 'foil'] !== undefined)) {
      throw new EngineError('bad-request', name, "each example's own, which all have", 'one for all');
    }
  }
  if (prompts.length === 0 || prompts.length > EXAMPLE_LIMIT) {
    throw new EngineError('bad-request', 'prompts', `from 1 to ${EXAMPLE_LIMIT} examples`, `${prompts.length}`);
  }
  return prompts.map((example, index) =>
    planOne(
      spec,
      { ...example, target: example.target ?? target, foil: example.foil === undefined ? foil : example.foil },
      request.position,
      `example ${index + 1}: `,
    ),
  );
}

/** @param at starts the messages of errors */
function planOne(spec: ModelSpec, example: TokenExample, wanted: number | undefined, at: string): Planned {
  const { tokens, counterfactualTokens, target, foil } = example;
  checkTokens(tokens, spec, `${at}prompt`);
  if (counterfactualTokens) {
    checkTokens(counterfactualTokens, spec, `${at}counterfactual`);
    if (counterfactualTokens.length !== tokens.length) {
      const expected = `${tokens.length} tokens, as many as the prompt`;
      throw new EngineError('bad-tokens', `${at}counterfactual`, expected, `${counterfactualTokens.length}`);
    }
  }
  const position = wanted ?? tokens.length - 1;
  checkWhole(`${at}position`, position, 0, tokens.length - 1);
  for (const [name, token] of Object.entries({ target, foil })) {
    if (token !== undefined && token !== null) checkWhole(`${at}${name}`, token, 0, spec.vocabulary - 1, 'a token id');
  }
  if (target !== undefined && target === foil) {
    throw new EngineError('bad-request', `${at}foil`, 'another token than the target', String(foil));
  }
  return { where: at === '' ? 'the prompt' : at.slice(0, -2), tokens, counterfactualTokens, position, target, foil };
}

function checkWhole(where: string, value: number, least: number, most: number, what = 'a whole number'): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} on` : `from ${least} to ${most}`;
    throw new EngineError('bad-request', where, `${what} ${range}`, String(value));
  }
}

type Metric = Pick<Planned, 'target' | 'foil'>;

function pickTokens(given: Metric, logits: Float32Array, vocabulary: number): { target: number; foil: number | null } {
  const best = (except: number | null) => {
    let found = except === 0 ? 1 : 0;
    logits.forEach((logit, token) => {
      if (token !== except && logit > logits[found]!) found = token;
    });
    return found;
  };
  const target = given.target ?? best(typeof given.foil === 'number' ? given.foil : null);
  if (given.foil === undefined) return { target, foil: vocabulary > 1 ? best(target) : null };
  return { target, foil: given.foil };
}

/** Milliseconds; `performance` is in every runtime but not in ES2023's types. */
function now(): number {
  return (globalThis as unknown as { performance: { now(): number } }).performance.now();
}
