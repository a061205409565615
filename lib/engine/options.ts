import { EngineError } from './errors.ts';
import type { AnalyzeRequest, View } from './request.ts';

/** Options that some views do not have; `top` and `seed` are any view's. */
const OPTIONAL = {
  paths: '--path',
  edges: '--edge',
  allEdges: '--all-edges',
  ablate: '--ablate',
  nodes: '--node',
  together: '--together',
  ablation: '--ablation',
  referencePrompts: '--reference-prompts',
  granularity: '--granularity',
  steps: '--steps',
  maxDegree: '--max-degree',
  untilMass: '--until-mass',
  byToken: '--by-token',
  positions: '--positions',
  foldNorm: '--fold-norm',
  dictionaries: '--dictionary',
} as const satisfies Partial<Record<keyof AnalyzeRequest, string>>;
type Option = keyof typeof OPTIONAL;

const REFERENCE = ['ablation', 'referencePrompts'] as const;

const OPTIONS: Record<View, readonly Option[]> = {
  logits: [],
  direct: [],
  degrees: ['maxDegree'],
  paths: ['maxDegree'],
  suffixes: ['paths', 'maxDegree', 'untilMass', 'byToken'],
  flow: ['positions'],
  units: ['paths', 'nodes'],
  concentration: ['granularity', 'maxDegree'],
  interactions: ['maxDegree'],
  heads: ['nodes'],
  'virtual-head': ['edges'],
  'naive-expansion': ['maxDegree'],
  orders: ['maxDegree'],
  attribution: ['steps', ...REFERENCE],
  'edge-patch': ['edges', 'allEdges', 'together', ...REFERENCE],
  'path-effect': ['paths', 'together', ...REFERENCE],
  ablate: ['ablate', 'together', ...REFERENCE],
  repair: ['ablate', 'together', ...REFERENCE],
  scrub: ['paths', 'edges', 'allEdges', ...REFERENCE],
  composition: ['foldNorm'],
  circuits: ['nodes', 'foldNorm'],
  features: ['dictionaries', 'paths', 'nodes', 'byToken'],
  'feature-edges': ['dictionaries', 'paths', 'nodes'],
  'feature-ablate': ['dictionaries', 'ablate', 'together', ...REFERENCE],
  'feature-tokens': ['dictionaries', 'nodes', 'foldNorm'],
};

/** @throws EngineError `bad-request` naming an option that the view would ignore */
export function checkOptionsOf(view: View, request: Partial<Record<Option, unknown>>): void {
  for (const option of Object.keys(OPTIONAL) as Option[]) {
    const value = request[option];
    const given = Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
    if (!given || OPTIONS[view].includes(option)) continue;
    const own = OPTIONS[view].map((name) => OPTIONAL[name]).join(', ');
    throw new EngineError('bad-request', OPTIONAL[option].slice(2), `none, since ${view} takes ${own || 'no such options'}`, 'one');
  }
}
