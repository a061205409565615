import { EngineError } from './errors.ts';
import { Draws } from './generators/draws.ts';
import { checkTokens } from './model.ts';
import type { TokenExample } from './prompt-sets.ts';
import { KIND_OF_VIEW, type Reference, type View } from './request.ts';
import type { ModelSpec } from './spec.ts';
import type { ReferenceSource } from './views/view.ts';

/** A prompt whose reference is wanted; `position` is the last token that is kept of it. */
export interface Prompt {
  /** starts the message of an error */
  where: string;
  tokens: readonly number[];
  counterfactualTokens?: readonly number[];
  position: number;
}

export interface ReferenceChoice {
  /** default: counterfactual where there is one, else zero; `scrub` draws where it can */
  ablation: Reference | undefined;
  /** what `mean` and `resample` draw from; null = nothing was given */
  set: readonly TokenExample[] | null;
  seed: number;
}

/** Whether a view puts one run's outputs into another. */
export function usesReference(view: View): boolean {
  return KIND_OF_VIEW[view] === 'causal' || view === 'attribution';
}

/**
 * The reference that all prompts of a request are measured against.
 * @throws EngineError `bad-request` when only some of them have a counterfactual, or `scrub` is given no donor's run
 */
export function referenceKind(view: View, prompts: readonly Prompt[], { ablation, set }: ReferenceChoice): Reference {
  if (view === 'scrub' && (ablation === 'zero' || ablation === 'mean')) {
    throw new EngineError('bad-request', 'ablation', 'resample or counterfactual, the run of a donor', ablation);
  }
  if (ablation) return ablation;
  if (view === 'scrub' && set) return 'resample';
  const without = prompts.findIndex(({ counterfactualTokens }) => !counterfactualTokens);
  if (without < 0 || view === 'scrub') return 'counterfactual';
  if (usesReference(view) && prompts.some(({ counterfactualTokens }) => counterfactualTokens)) {
    const expected = 'a counterfactual in every example, or an ablation that needs none';
    throw new EngineError('bad-request', `${prompts[without]!.where}: counterfactual`, expected, 'none');
  }
  return 'zero';
}

/**
 * Where each prompt's reference comes from. `mean` and `resample` need prompts of as many tokens; a donor is drawn
 * for each prompt from (seed, index) and is never the prompt itself. Prompts that are read at the same position
 * share one array of cropped reference prompts.
 * @throws EngineError `bad-request` or `bad-tokens` naming what to give
 */
export function referencesOf(kind: Reference, prompts: readonly Prompt[], choice: ReferenceChoice, spec: ModelSpec): ReferenceSource[] {
  if (kind === 'zero') return prompts.map(() => ({ kind }));
  if (kind === 'counterfactual') {
    return prompts.map(({ tokens, counterfactualTokens, position }) => {
      const given = counterfactualTokens ?? null;
      return { kind, tokens: given && crop(given, { tokens, position }) };
    });
  }
  const { set } = choice;
  if (!set) {
    throw new EngineError(
      'bad-request',
      `ablation ${kind}`,
      'reference prompts (--reference-prompts) or a prompt set to draw from',
      'neither',
    );
  }
  set.forEach(({ tokens }, index) => checkTokens(tokens, spec, `reference prompts: example ${index + 1}`));
  if (kind === 'mean') {
    const croppedFor = oncePerShape((prompt) => set.map((example, index) => sameLength(example, index, prompt)));
    return prompts.map((prompt) => ({ kind, prompts: croppedFor(prompt) }));
  }
  const donorsFor = oncePerShape((prompt) => donorsOf(prompt, set));
  return prompts.map((prompt, index) => ({ kind, ...donorOf(prompt, donorsFor(prompt), new Draws(choice.seed, index)) }));
}

/** Makes what depends on a prompt's length and position alone once for all prompts that share them. */
function oncePerShape<T>(make: (prompt: Prompt) => T): (prompt: Prompt) => T {
  const made = new Map<string, T>();
  return (prompt) => {
    const shape = `${prompt.tokens.length} ${prompt.position}`;
    const known = made.get(shape) ?? make(prompt);
    made.set(shape, known);
    return known;
  };
}

function sameLength({ tokens }: TokenExample, index: number, prompt: Prompt): readonly number[] {
  if (tokens.length !== prompt.tokens.length) {
    const expected = `${prompt.tokens.length} tokens, as many as ${prompt.where}, since the mean is taken at each position`;
    throw new EngineError('bad-tokens', `reference prompts: example ${index + 1}`, expected, `${tokens.length}`);
  }
  return crop(tokens, prompt);
}

interface Donor {
  tokens: readonly number[];
  /** index in the set */
  donor: number;
  /** the cropped tokens as one text */
  key: string;
}

function donorsOf(prompt: Prompt, set: readonly TokenExample[]): Donor[] {
  return set.flatMap(({ tokens }, donor) => {
    if (tokens.length !== prompt.tokens.length) return [];
    const cropped = crop(tokens, prompt);
    return [{ tokens: cropped, donor, key: cropped.join() }];
  });
}

function donorOf(prompt: Prompt, donors: readonly Donor[], draws: Draws): Omit<Donor, 'key'> {
  const own = crop(prompt.tokens, prompt).join();
  const others = donors.filter(({ key }) => key !== own);
  if (others.length === 0) {
    const expected = `another prompt of ${prompt.tokens.length} tokens, as many as ${prompt.where}`;
    throw new EngineError('bad-request', 'ablation resample: reference prompts', expected, 'none');
  }
  const { tokens, donor } = draws.pick(others);
  return { tokens, donor };
}

function crop(tokens: readonly number[], { position }: Pick<Prompt, 'position' | 'tokens'>): readonly number[] {
  return tokens.slice(0, position + 1);
}
