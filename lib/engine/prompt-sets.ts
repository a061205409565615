import { EngineError } from './errors.ts';
import { generateExamples } from './generators.ts';
import { resolveToken, needTexts, type Texts } from './texts.ts';
import { GENERATORS, type Example, type PromptSet } from './request.ts';

/** Most examples of a prompt set. */
export const EXAMPLE_LIMIT = 1000;

/** An example whose texts are tokens already; `foil` null = no foil, absent = chosen from the logits. */
export interface TokenExample {
  tokens: readonly number[];
  counterfactualTokens?: readonly number[];
  target?: number;
  foil?: number | null;
}

const FIELDS = ['clean', 'counterfactual', 'target', 'foil'];

/**
 * Reads a prompt set: one JSON object a line, as {@link Example}; empty lines are skipped.
 * @param name of the set, for answers and errors
 * @throws EngineError `bad-request` naming set, line and field
 */
export function parsePromptSet(text: string, name: string): { examples: Example[]; name: string } {
  const examples: Example[] = [];
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    if (line.trim() === '') continue;
    if (examples.length === EXAMPLE_LIMIT) throw new EngineError('bad-request', name, `at most ${EXAMPLE_LIMIT} examples`, 'more');
    examples.push(parseExample(line, `${name} line ${index + 1}`));
  }
  if (examples.length === 0) throw new EngineError('bad-request', name, 'at least one example', 'none');
  return { examples, name };
}

function parseExample(line: string, where: string): Example {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (cause) {
    throw new EngineError('bad-request', where, 'one JSON object', (cause as Error).message, { cause });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new EngineError('bad-request', where, 'a JSON object', shown(parsed));
  }
  for (const [field, value] of Object.entries(parsed)) {
    if (!FIELDS.includes(field)) throw new EngineError('bad-request', where, FIELDS.join(', '), `the field ${JSON.stringify(field)}`);
    const isTokens = Array.isArray(value) && value.every((token) => Number.isSafeInteger(token));
    const takesTokens = field === 'clean' || field === 'counterfactual';
    const isId = !takesTokens && Number.isSafeInteger(value);
    if (typeof value !== 'string' && !(takesTokens && isTokens) && !isId) {
      const expected = takesTokens ? 'a text or token ids' : 'a text or a token id';
      throw new EngineError('bad-request', `${where}: ${field}`, expected, shown(value));
    }
  }
  if (!('clean' in parsed)) throw new EngineError('bad-request', `${where}: clean`, 'a text or token ids', 'nothing');
  const texts = Object.entries(parsed).map(([field, value]) => [field, typeof value === 'number' ? String(value) : (value as unknown)]);
  return Object.fromEntries(texts) as Example;
}

/**
 * The examples of a set, drawn where it names a generator.
 * @param field of the request, which starts the message of an error
 * @param seed where the set names none
 * @throws EngineError `bad-request` or `unsupported`
 */
export function examplesOf(set: PromptSet, field: string, texts: Texts | null, vocabulary: number, seed: number): Example[] {
  const count = 'generator' in set ? set.count : set.examples.length;
  if (!Number.isSafeInteger(count) || count < 1 || count > EXAMPLE_LIMIT) {
    throw new EngineError('bad-request', `${field}: count`, `from 1 to ${EXAMPLE_LIMIT} examples`, String(count));
  }
  if (!('generator' in set)) return set.examples;
  if (!GENERATORS.includes(set.generator)) {
    throw new EngineError('bad-request', `${field}: generator`, GENERATORS.join(', '), JSON.stringify(set.generator));
  }
  return generateExamples(set.generator, texts, vocabulary, count, set.seed ?? seed);
}

/**
 * What an answer calls the set; null where it has no name.
 * @param seed where the set names none
 */
export function nameOfSet(set: PromptSet, seed: number): string | null {
  return 'generator' in set ? `${set.generator} (seed ${set.seed ?? seed})` : (set.name ?? null);
}

/**
 * One example in tokens.
 * @param where starts the message of an error
 * @param special add the special tokens of the tokenizer to texts
 */
export function resolveExample(example: Example, where: string, texts: Texts | null, vocabulary: number, special: boolean): TokenExample {
  const { clean, counterfactual, target, foil } = example;
  const tokensOf = (field: string, given: string | number[]) =>
    typeof given === 'string' ? encodePrompt(given, `${where}: ${field}`, texts, special) : given;
  const foilToken = foil === undefined ? undefined : resolveFoil(`${where}: foil`, foil, texts, vocabulary);
  return {
    tokens: tokensOf('clean', clean),
    ...(counterfactual !== undefined && { counterfactualTokens: tokensOf('counterfactual', counterfactual) }),
    ...(target !== undefined && { target: resolveToken(`${where}: target`, target, texts, vocabulary) }),
    ...(foilToken !== undefined && { foil: foilToken }),
  };
}

/** As {@link resolveToken}, but `none` is no foil. */
export function resolveFoil(where: string, given: string, texts: Texts | null, vocabulary: number): number | null {
  return given === 'none' ? null : resolveToken(where, given, texts, vocabulary);
}

/** @throws EngineError `bad-tokens` for an empty text, `bad-request` without a tokenizer */
export function encodePrompt(text: string, where: string, texts: Texts | null, special: boolean): number[] {
  if (text.length === 0) throw new EngineError('bad-tokens', where, 'at least one character', 'an empty prompt');
  return needTexts(texts, where).encode(text, special);
}

function shown(value: unknown): string {
  return JSON.stringify(value).slice(0, 60);
}
