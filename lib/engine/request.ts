/** One shape for every analysis: CLI, HTTP API and worker take this request and give this answer. */

export const VIEWS = ['logits', 'direct', 'degrees', 'paths', 'suffixes', 'path-effect', 'ablate'] as const;
export type View = (typeof VIEWS)[number];

/** What a number is: an exact sum for this run, an approximation, a causal test, or read off weights alone. */
export type Kind = 'identity' | 'approximation' | 'causal' | 'weights';

export const KIND_OF_VIEW: Record<View, Kind> = {
  logits: 'identity',
  direct: 'identity',
  degrees: 'identity',
  paths: 'identity',
  suffixes: 'identity',
  'path-effect': 'causal',
  ablate: 'causal',
};

export const REFERENCES = ['counterfactual', 'zero'] as const;
/** What replaces a node's output in a causal view. */
export type Reference = (typeof REFERENCES)[number];

/** Text or token ids in, as a person gives them. Exactly one of `prompt` and `tokens`. */
export interface AnalyzeRequest {
  view: View;
  /** name of a model known to the server */
  model: string;
  prompt?: string;
  tokens?: number[];
  counterfactual?: string;
  counterfactualTokens?: number[];
  /** token position whose logits are read; default the last */
  position?: number;
  /** digits are a token id, other text must be one token, `text:11` forces text; default the most likely token */
  target?: string;
  /** as `target`; `none` for the plain logit; default the most likely token other than the target */
  foil?: string;
  /** terms to list, 1…100,000 */
  top?: number;
  /** longest path to consider */
  maxDegree?: number;
  /** `path-effect`: the paths to test. `suffixes`: the suffixes to open (default `logits`) */
  paths?: string[];
  /** also the joint effect of all paths or ablations at once */
  together?: boolean;
  /** nodes to ablate */
  ablate?: string[];
  /** default: counterfactual where one is given, else zero */
  ablation?: Reference;
  /** `suffixes`: open the largest suffixes until this share of Σ|value| lies in complete paths, 0…1 */
  untilMass?: number;
  /** `suffixes`: also each term's value by token position */
  byToken?: boolean;
  /** add the special tokens that tokenizer.json names; default true */
  special?: boolean;
}

export interface Term {
  /** a node, path, degree or token id, in the grammar of names.ts */
  name: string;
  /** logits, except where the view names other fields */
  value?: number;
  degree?: number;
  /** `logits` */
  logit?: number;
  /** `logits` */
  probability?: number;
  /** `logits`: the token as text, where the model has a tokenizer */
  text?: string;
  /** `suffixes`: the suffix this term was split from */
  parent?: string;
  /** `suffixes`: true when the term can be opened (a suffix), false when it is a complete path */
  open?: boolean;
  /** value split over the token positions at which the path's first node wrote; sums to `value` */
  byToken?: number[];
}

export interface Answer {
  view: View;
  kind: Kind;
  engineVersion: string;
  model: { name: string; hash: string };
  backend: { engine: string; provider: string; dtype: string };
  reference: Reference | null;
  tokens: number[];
  /** the tokens as text, where the model has a tokenizer */
  tokenTexts?: string[];
  counterfactualTokens?: number[];
  position: number;
  target: number;
  targetText?: string;
  foil: number | null;
  foilText?: string;
  /** logit(target) − logit(foil) at `position`, from the ordinary forward graph */
  metric: number;
  counterfactualMetric?: number;
  terms: Term[];
  /** identity views: the unlisted part, summed from its own totals, never by subtraction */
  remainder?: number;
  /** identity views: Σ terms + remainder */
  sum?: number;
  /** identity views: |sum − metric| */
  error?: number;
  /** `together`: all paths or ablations at once, by name; the value is also the last term, `together` */
  joint?: { names: string[]; value: number };
  /** `paths`, `suffixes`: whether every suffix was opened */
  search?: 'exhaustive' | 'budget';
  /** `paths`, `suffixes`: the largest |total| left unopened, 0 when exhaustive */
  largestUnopened?: number;
  /** `paths`, `suffixes`: suffixes opened */
  opened?: number;
  /** what a reader must know about these numbers, one sentence each */
  notes: string[];
  elapsedMs: number;
}
