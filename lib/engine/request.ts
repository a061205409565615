import type { DictionaryKind } from './dictionary.ts';
import { EngineError } from './errors.ts';

/** One shape for every analysis: CLI, HTTP API and worker take this request and give this answer. */

export const VIEWS = [
  'logits',
  'direct',
  'degrees',
  'paths',
  'suffixes',
  'flow',
  'units',
  'concentration',
  'interactions',
  'heads',
  'virtual-head',
  'naive-expansion',
  'orders',
  'attribution',
  'edge-patch',
  'path-effect',
  'ablate',
  'repair',
  'scrub',
  'composition',
  'circuits',
  'features',
  'feature-edges',
  'feature-ablate',
  'feature-tokens',
] as const;
export type View = (typeof VIEWS)[number];

/** What a number is: an exact sum for this run, an approximation, a causal test, or read off weights alone. */
export type Kind = 'identity' | 'approximation' | 'causal' | 'weights';

export const KIND_OF_VIEW: Record<View, Kind> = {
  logits: 'identity',
  direct: 'identity',
  degrees: 'identity',
  paths: 'identity',
  suffixes: 'identity',
  flow: 'identity',
  units: 'identity',
  concentration: 'identity',
  interactions: 'identity',
  heads: 'identity',
  'virtual-head': 'identity',
  'naive-expansion': 'approximation',
  orders: 'approximation',
  attribution: 'approximation',
  'edge-patch': 'causal',
  'path-effect': 'causal',
  ablate: 'causal',
  repair: 'causal',
  scrub: 'causal',
  composition: 'weights',
  circuits: 'weights',
  features: 'identity',
  'feature-edges': 'identity',
  'feature-ablate': 'causal',
  'feature-tokens': 'weights',
};

export const REFERENCES = ['counterfactual', 'zero', 'mean', 'resample'] as const;
/**
 * What replaces a node's output in a causal view: what it writes in the counterfactual run, nothing, its mean over
 * a prompt set at each position, or what it writes in one prompt of the set, drawn with a seed.
 */
export type Reference = (typeof REFERENCES)[number];

export const GRANULARITIES = ['sublayer', 'head', 'neuron'] as const;
export type Granularity = (typeof GRANULARITIES)[number];

export const GENERATORS = ['induction', 'ioi', 'greater-than', 'docstring'] as const;
export type Generator = (typeof GENERATORS)[number];

/** One line of a prompt set: texts or token ids; `target` and `foil` as in {@link AnalyzeRequest}. */
export interface Example {
  clean: string | number[];
  counterfactual?: string | number[];
  target?: string;
  foil?: string;
}

/** Prompts as given, or drawn by a built-in generator. */
export type PromptSet = { examples: Example[]; name?: string } | { generator: Generator; count: number; seed?: number };

/** Text or token ids in, as a person gives them. Exactly one of `prompt`, `tokens` and `prompts`; views of weights need none. */
export interface AnalyzeRequest {
  view: View;
  /** name of a model known to the server */
  model: string;
  prompt?: string;
  tokens?: number[];
  /** every example is analysed; terms are means, with each example's value beside them */
  prompts?: PromptSet;
  /** the set that `mean` and `resample` draw from; default `prompts` */
  referencePrompts?: PromptSet;
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
  /** longest path to consider; `interactions`: the largest set of blocks */
  maxDegree?: number;
  /**
   * `path-effect`: the paths to test. `suffixes`: the suffixes to open (default `logits`). `scrub`: the hypothesis.
   * `units`: the path (one) whose node is opened. `features`, `feature-edges`: the path (one) that is split over features.
   */
  paths?: string[];
  /** `edge-patch`: the edges to patch. `scrub`: the hypothesis. `virtual-head`: the pair of heads (one edge) */
  edges?: string[];
  /** `edge-patch`: every edge of the model, slots apart */
  allEdges?: boolean;
  /** also the joint effect of all paths, edges or ablations at once */
  together?: boolean;
  /** nodes to ablate, of `feature-ablate` features */
  ablate?: string[];
  /** `units`: the node of the path to open (one). `circuits`: the head (one). `heads`: those whose patterns are wanted. Views of features: the features */
  nodes?: string[];
  /** `concentration`: what counts as one node; default head */
  granularity?: Granularity;
  /** `attribution`: gradients averaged over that many inputs between clean and reference (EAP-IG); default the clean one alone (EAP) */
  steps?: number;
  /** of every draw; default 0 */
  seed?: number;
  /** `composition`, `circuits`: fold the reading norm's γ and centring into the weights */
  foldNorm?: boolean;
  /** default: counterfactual where one is given, else zero */
  ablation?: Reference;
  /** `suffixes`: open the largest suffixes until this share of Σ|value| lies in complete paths, 0…1 */
  untilMass?: number;
  /** `suffixes`: also each term's value by token position */
  byToken?: boolean;
  /** `flow`: edges between token positions, such as `a0.h1@5->a1.h3@9`; `top` is 10,000 unless given */
  positions?: boolean;
  /** sparse dictionaries of the model, by name or hash, at most one a layer [D1] */
  dictionaries?: string[];
  /** add the special tokens that tokenizer.json names; default true */
  special?: boolean;
}

export interface Term {
  /** a node, path, degree or token id, in the grammar of names.ts */
  name: string;
  /** logits, except where the view names other fields. `scrub` [M17]: the loss recovered, absent where model and donor lose the same */
  value?: number;
  degree?: number;
  /** `logits` */
  logit?: number;
  /** `logits` */
  probability?: number;
  /** `logits`: the token as text, where the model has a tokenizer */
  text?: string;
  /** prompt sets: the value of each example, in the set's order; `value` is their mean */
  values?: (number | null)[];
  /** prompt sets: standard deviation over the examples (n − 1); null for one example */
  spread?: number | null;
  /** `naive-expansion` [M15]: norm of the terms of this degree, and ‖R_K − r‖/‖r‖ up to it */
  norm?: number;
  relativeError?: number;
  /** `concentration` [M23]: paths that hold 50, 90, 99% of Σ|value|, exp(entropy), Σ|value|, number of paths */
  n50?: number;
  n90?: number;
  n99?: number;
  effective?: number;
  mass?: number;
  count?: number;
  /** `repair` [M24] */
  real?: number;
  frozen?: number;
  /** null where the frozen effect is 0 */
  compensation?: number | null;
  /** `repair`: the paths whose value changed most, in the clean and in the ablated run */
  takeover?: { name: string; clean: number; ablated: number }[];
  /** `scrub` [M17], nats */
  lossModel?: number;
  lossRandom?: number;
  lossScrubbed?: number;
  /** `heads`: attention scores; null where the prompt has no token to score */
  previous?: number | null;
  duplicate?: number | null;
  induction?: number | null;
  /** `heads`: rows are queries, where patterns were asked for */
  pattern?: number[][];
  /** `composition` [M20]; null where one of the norms is 0 */
  q?: number | null;
  k?: number | null;
  v?: number | null;
  /** `circuits`: the tokens of an entry as text */
  fromText?: string;
  toText?: string;
  /** `suffixes`: the suffix this term was split from */
  parent?: string;
  /** `suffixes`: true when the term can be opened (a suffix), false when it is a complete path */
  open?: boolean;
  /** value split over the token positions at which the path's first node wrote; sums to `value` */
  byToken?: number[];
  /** `features`: the feature's largest activation over the tokens; with `byToken` that of each token */
  activation?: number;
  activations?: number[];
  /** `feature-edges`: what one feature reads of another whatever the prompt, the norm's scale apart [D4] */
  weight?: number;
}

/** The fields of a term that are numbers, in the order in which a table has them. */
export const TERM_NUMBERS = [
  'value',
  'spread',
  'logit',
  'probability',
  'norm',
  'relativeError',
  'n50',
  'n90',
  'n99',
  'effective',
  'mass',
  'count',
  'real',
  'frozen',
  'compensation',
  'lossModel',
  'lossRandom',
  'lossScrubbed',
  'previous',
  'duplicate',
  'induction',
  'q',
  'k',
  'v',
  'activation',
  'weight',
] as const satisfies readonly (keyof Term)[];
export type TermNumber = (typeof TERM_NUMBERS)[number];

/**
 * One example of a prompt set. `donor`: where one was drawn, the example whose run was the reference, as an index from 0
 * into the reference prompts. What people read (errors, the terms of `scrub`, settings, tables) counts examples from 1.
 */
export interface AnsweredExample {
  tokens: number[];
  tokenTexts?: string[];
  counterfactualTokens?: number[];
  target: number;
  foil: number | null;
  metric: number;
  counterfactualMetric?: number;
  error?: number;
  donor?: number;
}

/** With a prompt set, `tokens`, `target` and `foil` are the first example's and the metrics are means. */
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
  /** null for views of weights, as are `target` and `metric` */
  position: number | null;
  target: number | null;
  targetText?: string;
  foil: number | null;
  foilText?: string;
  /** logit(target) − logit(foil) at `position`, from the ordinary forward graph */
  metric: number | null;
  counterfactualMetric?: number;
  terms: Term[];
  /**
   * identity views that list parts of a sum (not `logits`, `flow`, `concentration`, `heads`): the unlisted part, summed
   * from its own totals. By subtraction only what `interactions` does not evaluate: v(all) − the sets up to `maxDegree`.
   */
  remainder?: number;
  /**
   * identity views but `concentration` and `heads`: Σ terms + remainder. `logits`: that of `direct`. `flow`: what flows
   * into `logits`
   */
  sum?: number;
  /** wherever there is a `sum`: |sum − metric|, or |sum − whole| where there is a `whole` */
  error?: number;
  /** `together`: all paths or ablations at once, by name; the value is also the last term, `together` */
  joint?: { names: string[]; value: number };
  /** `paths`, `suffixes`, `concentration`: whether every suffix was opened */
  search?: 'exhaustive' | 'budget';
  /** as `search`: the largest |total| left unopened, 0 when exhaustive */
  largestUnopened?: number;
  /** as `search`: suffixes opened */
  opened?: number;
  /** `interactions` [M19]: additivity defect of each block as it is, and with the norms' scales frozen; null for a constant block */
  defects?: { name: string; live: number | null; frozenScale: number | null }[];
  /** `units`, `virtual-head`: what the terms are the parts of; `sum` and `error` are measured against it */
  whole?: { name: string; value: number };
  /** `flow` of one prompt: edges that are not 0, their Σ|value|, and what of it those hold that are not listed */
  extent?: { edges: number; mass: number; unlisted: number };
  /** `flow` of one prompt: the sum of all paths through each node that a listed edge touches; with `positions`, each place */
  through?: { name: string; value: number }[];
  /** `composition`: mean and standard deviation over random heads of the same shapes */
  baseline?: Record<'q' | 'k' | 'v', { mean: number; deviation: number }>;
  /** the sparse dictionaries that features are of */
  dictionaries?: { name: string; hash: string; kind: DictionaryKind; layer: number; hook: string; width: number }[];
  /** prompt sets: each example as it was analysed */
  examples?: AnsweredExample[];
  /** everything that the numbers depend on beyond the fields above */
  settings?: Record<string, string | number | boolean | null>;
  /** what a reader must know about these numbers, one sentence each */
  notes: string[];
  elapsedMs: number;
}

/** An answer about a prompt, which all but those of weights are. */
export type RunAnswer = Answer & { position: number; target: number; metric: number };

/** @throws EngineError `bad-request` for an answer of weights alone */
export function ofRun(answer: Answer): RunAnswer {
  if (!isOfRun(answer)) throw new EngineError('bad-request', 'answer', 'a view of a prompt', `${answer.view}, which is of weights`);
  return answer;
}

export function isOfRun(answer: Answer): answer is RunAnswer {
  return answer.metric !== null && answer.position !== null && answer.target !== null;
}
