import type { TokenRequest } from './token-request.ts';
import { EngineError } from './errors.ts';
import { encodePrompt, examplesOf, nameOfSet, resolveExample, resolveFoil, type TokenExample } from './prompt-sets.ts';
import { KIND_OF_VIEW, type Answer, type AnalyzeRequest, type AnsweredExample, type PromptSet, type Term } from './request.ts';
import { resolveToken, type Texts } from './texts.ts';

/**
 * Turns the texts of a request into token ids, and a generator's name into its examples.
 * @param vocabulary number of ids that the model knows
 * @throws EngineError `bad-request`, `bad-tokens` or `unsupported` naming the field
 */
export function resolveRequest(request: AnalyzeRequest, texts: Texts | null, vocabulary: number): TokenRequest {
  const { prompt, tokens, prompts, referencePrompts, counterfactual, target, foil, special = true, ...rest } = request;
  const seed = request.seed ?? 0;
  checkGiven(request);
  const set = (field: string, given: PromptSet): TokenExample[] =>
    examplesOf(given, field, texts, vocabulary, seed).map((example, index) =>
      resolveExample(example, `${nameOfSet(given, seed) ?? field} example ${index + 1}`, texts, vocabulary, special),
    );
  return {
    ...rest,
    ...(tokens && { tokens }),
    ...(prompt !== undefined && { tokens: encodePrompt(prompt, 'prompt', texts, special) }),
    ...(prompts && { prompts: set('prompts', prompts), setName: nameOfSet(prompts, seed) }),
    ...(referencePrompts && {
      referencePrompts: set('reference prompts', referencePrompts),
      referenceSetName: nameOfSet(referencePrompts, seed),
    }),
    ...(counterfactual !== undefined && { counterfactualTokens: encodePrompt(counterfactual, 'counterfactual', texts, special) }),
    ...(target !== undefined && { target: resolveToken('target', target, texts, vocabulary) }),
    ...(foil !== undefined && { foil: resolveFoil('foil', foil, texts, vocabulary) }),
  };
}

function checkGiven({ view, prompt, tokens, prompts, counterfactual, counterfactualTokens }: AnalyzeRequest): void {
  const given = Object.entries({ 'a prompt': prompt, tokens, 'a prompt set': prompts }).filter(([, value]) => value !== undefined);
  if (KIND_OF_VIEW[view] !== 'weights' && given.length !== 1) {
    const got = given.length === 0 ? 'none' : given.map(([what]) => what).join(' and ');
    throw new EngineError('bad-request', 'prompt', 'one of a prompt, tokens and a prompt set', got);
  }
  if (counterfactual !== undefined && counterfactualTokens !== undefined) {
    throw new EngineError('bad-request', 'counterfactual', 'a text or tokens', 'both');
  }
}

/** The answer with its tokens as text beside their ids; as it is where the model has no tokenizer. */
export function withTexts(answer: Answer, texts: Texts | null): Answer {
  if (!texts) return answer;
  const { target, foil, tokens, examples } = answer;
  const textsOf = (ids: readonly number[]) => ids.map((id) => texts.text(id));
  return {
    ...answer,
    ...(tokens.length > 0 && { tokenTexts: textsOf(tokens) }),
    ...(target !== null && { targetText: texts.text(target) }),
    ...(foil !== null && { foilText: texts.text(foil) }),
    terms: answer.terms.map((term) => termWithTexts(term, answer, texts)),
    ...(examples && { examples: examples.map((example): AnsweredExample => ({ ...example, tokenTexts: textsOf(example.tokens) })) }),
  };
}

/** A term of `feature-tokens` is named by feature and token, `f2.17->40`. */
const RAISED = /^f.*->(\d+)$/;
/** A term of `circuits` is named by its circuit and two tokens, `ov:12->40`. */
const ENTRY = /:(\d+)->(\d+)$/;

function termWithTexts(term: Term, { view }: Answer, texts: Texts): Term {
  if (view === 'logits') return { ...term, text: texts.text(Number(term.name)) };
  const raised = view === 'feature-tokens' ? RAISED.exec(term.name) : null;
  if (raised) return { ...term, toText: texts.text(Number(raised[1])) };
  const entry = view === 'circuits' ? ENTRY.exec(term.name) : null;
  return entry ? { ...term, fromText: texts.text(Number(entry[1])), toText: texts.text(Number(entry[2])) } : term;
}
