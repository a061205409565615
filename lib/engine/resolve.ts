import type { TokenRequest } from './analyze.ts';
import { EngineError } from './errors.ts';
import type { Answer, AnalyzeRequest } from './request.ts';

/** What resolving needs of a tokenizer; null where the model has none. */
export interface Texts {
  encode(text: string, special: boolean): number[];
  text(id: number): string;
}

/**
 * Turns the texts of a request into token ids.
 * @param vocabulary number of ids the model knows
 * @throws EngineError `bad-request` or `bad-tokens` naming the field
 */
export function resolveRequest(request: AnalyzeRequest, texts: Texts | null, vocabulary: number): TokenRequest {
  const { prompt, tokens, counterfactual, target, foil, special = true, ...rest } = request;
  if ((prompt === undefined) === (tokens === undefined)) {
    const got = prompt === undefined ? 'neither' : 'both';
    throw new EngineError('bad-request', 'prompt', 'either a prompt or tokens', got);
  }
  if (counterfactual !== undefined && request.counterfactualTokens !== undefined) {
    throw new EngineError('bad-request', 'counterfactual', 'a text or tokens', 'both');
  }
  const encode = (where: string, text: string) => {
    if (text.length === 0) throw new EngineError('bad-tokens', where, 'at least one character', 'an empty prompt');
    return tokenizer(texts, where).encode(text, special);
  };
  const foilToken = foil === 'none' ? null : foil === undefined ? undefined : resolveToken('foil', foil, texts, vocabulary);
  return {
    ...rest,
    tokens: tokens ?? encode('prompt', prompt!),
    ...(counterfactual !== undefined && { counterfactualTokens: encode('counterfactual', counterfactual) }),
    ...(target !== undefined && { target: resolveToken('target', target, texts, vocabulary) }),
    ...(foilToken !== undefined && { foil: foilToken }),
  };
}

/** Digits are an id; anything else is text that must be one token; `text:11` forces text. */
export function resolveToken(where: string, given: string, texts: Texts | null, vocabulary: number): number {
  if (/^\d+$/.test(given)) {
    const id = Number(given);
    if (id >= vocabulary) throw new EngineError('bad-tokens', where, `an id from 0 to ${vocabulary - 1}`, given);
    return id;
  }
  const text = given.startsWith('text:') ? given.slice(5) : given;
  const ids = text === '' ? [] : tokenizer(texts, where).encode(text, false);
  if (ids.length !== 1) {
    const parts = ids.map((id) => JSON.stringify(texts!.text(id))).join(' ');
    throw new EngineError('bad-tokens', where, 'one token', `${JSON.stringify(text)}, which is ${ids.length} tokens ${parts}`.trim());
  }
  return ids[0]!;
}

/** The answer with its tokens as text beside their ids. */
export function withTexts(answer: Answer, texts: Texts | null): Answer {
  if (!texts) return answer;
  const named = (term: Answer['terms'][number]) => ({ ...term, text: texts.text(Number(term.name)) });
  return {
    ...answer,
    tokenTexts: answer.tokens.map((id) => texts.text(id)),
    targetText: texts.text(answer.target),
    ...(answer.foil !== null && { foilText: texts.text(answer.foil) }),
    terms: answer.view === 'logits' ? answer.terms.map(named) : answer.terms,
  };
}

function tokenizer(texts: Texts | null, where: string): Texts {
  if (!texts) throw new EngineError('bad-request', where, 'token ids, since this model has no tokenizer.json', 'text');
  return texts;
}
