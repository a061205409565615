import type { TokenExample } from './prompt-sets.ts';
import type { AnalyzeRequest } from './request.ts';

type InTexts = 'prompt' | 'counterfactual' | 'tokens' | 'target' | 'foil' | 'special' | 'prompts' | 'referencePrompts';

/**
 * A request whose texts are tokens already. `target` and `foil` are ids, foil null = no foil; with `prompts` they
 * hold for the examples that name none. Exactly one of `tokens` and `prompts`; views of weights take neither.
 */
export type TokenRequest = Omit<AnalyzeRequest, InTexts> & {
  tokens?: readonly number[];
  prompts?: readonly TokenExample[];
  referencePrompts?: readonly TokenExample[];
  /** names of the sets, for the answer */
  setName?: string | null;
  referenceSetName?: string | null;
  target?: number;
  foil?: number | null;
};
