import { EngineError } from '../errors.ts';
import type { Example, Generator } from '../request.ts';
import { singleToken, type Texts } from '../texts.ts';
import type { Draws } from './draws.ts';

/** What a generator draws from. */
export interface Drawing {
  /** null where the model has no tokenizer */
  texts: Texts | null;
  /** number of ids that the model knows */
  vocabulary: number;
  count: number;
  draws: Draws;
}

/** Draws of one example before the examples of a set are called too few. */
const TRIES = 50;

/**
 * `count` different examples.
 * @throws EngineError `bad-request` when there are not so many
 */
export function different(name: Generator, count: number, draw: () => Example): Example[] {
  const found = new Map<string, Example>();
  for (let tries = 0; found.size < count && tries < TRIES * count; tries++) {
    const example = draw();
    found.set(JSON.stringify(example.clean), example);
  }
  if (found.size < count)
    throw new EngineError('bad-request', `${name}: count`, `at most about ${found.size} for this tokenizer`, `${count}`);
  return [...found.values()];
}

/** @throws EngineError `unsupported` for a model without a tokenizer */
export function textsOf(name: Generator, { texts }: Drawing): Texts {
  if (!texts) throw new EngineError('unsupported', `${name} prompts`, 'a model with a tokenizer.json', 'none');
  return texts;
}

/**
 * The words that are one token after a space.
 * @throws EngineError `unsupported` when fewer than `least` are, naming what is missing
 */
export function singleWords(name: Generator, what: string, words: readonly string[], texts: Texts, least: number): string[] {
  const found = words.filter((word) => singleToken(` ${word}`, texts) !== null);
  if (found.length < least) {
    const got = found.length === 0 ? 'none' : `${found.length} (${found.join(', ')})`;
    throw new EngineError('unsupported', `${name} prompts`, `at least ${least} ${what} that are one token after a space`, got);
  }
  return found;
}

/** Items of the length that most of them have, so that all examples of a set have as many tokens. */
export function ofCommonLength<T>(items: readonly T[], lengthOf: (item: T) => number): T[] {
  const groups = new Map<number, T[]>();
  for (const item of items) groups.set(lengthOf(item), [...(groups.get(lengthOf(item)) ?? []), item]);
  return [...groups.values()].reduce((most, group) => (group.length > most.length ? group : most), []);
}
