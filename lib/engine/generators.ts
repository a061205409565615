import { docstringPrompts } from './generators/docstring.ts';
import { Draws } from './generators/draws.ts';
import type { Drawing } from './generators/generator.ts';
import { greaterThanPrompts } from './generators/greater-than.ts';
import { inductionPrompts } from './generators/induction.ts';
import { ioiPrompts } from './generators/ioi.ts';
import type { Example, Generator } from './request.ts';
import type { Texts } from './texts.ts';

const GENERATE: Record<Generator, (drawing: Drawing) => Example[]> = {
  induction: inductionPrompts,
  ioi: ioiPrompts,
  'greater-than': greaterThanPrompts,
  docstring: docstringPrompts,
};

/**
 * Draws `count` different examples of a task; the same seed gives the same ones. All have the same number of tokens,
 * as has each one's counterfactual, and target and foil are one token each.
 * @param texts the model's tokenizer; only `induction` does without
 * @param vocabulary number of ids that the model knows
 * @throws EngineError `unsupported` naming what the tokenizer lacks, `bad-request` when there are not `count` examples
 */
export function generateExamples(name: Generator, texts: Texts | null, vocabulary: number, count: number, seed: number): Example[] {
  return GENERATE[name]({ texts, vocabulary, count, draws: new Draws(seed) });
}
