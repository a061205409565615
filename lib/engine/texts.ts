import { EngineError } from './errors.ts';

/** What the engine needs of a tokenizer; null where the model has none. */
export interface Texts {
  /** @param special add the special tokens that the tokenizer names */
  encode(text: string, special: boolean): number[];
  /** one token as text */
  text(id: number): string;
}

/**
 * Digits are an id; anything else is text that must be one token; `text:11` forces text.
 * @param where starts the message of an error
 * @throws EngineError `bad-tokens`, or `bad-request` for text without a tokenizer
 */
export function resolveToken(where: string, given: string, texts: Texts | null, vocabulary: number): number {
  if (/^\d+$/.test(given)) {
    const id = Number(given);
    if (id >= vocabulary) throw new EngineError('bad-tokens', where, `an id from 0 to ${vocabulary - 1}`, given);
    return id;
  }
  const text = given.startsWith('text:') ? given.slice(5) : given;
  const ids = text === '' ? [] : needTexts(texts, where).encode(text, false);
  if (ids.length !== 1) {
    const parts = ids.map((id) => JSON.stringify(texts!.text(id))).join(' ');
    throw new EngineError('bad-tokens', where, 'one token', `${JSON.stringify(text)}, which is ${ids.length} tokens ${parts}`.trim());
  }
  return ids[0]!;
}

/** @throws EngineError `bad-request` where the model has no tokenizer */
export function needTexts(texts: Texts | null, where: string): Texts {
  if (!texts) throw new EngineError('bad-request', where, 'token ids, since this model has no tokenizer.json', 'text');
  return texts;
}

/** The id of a text that is one token, else null. */
export function singleToken(text: string, texts: Texts): number | null {
  const ids = texts.encode(text, false);
  return ids.length === 1 ? ids[0]! : null;
}
