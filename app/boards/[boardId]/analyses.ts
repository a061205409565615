import { KIND_OF_VIEW, REFERENCES, type Kind, type Reference, type View } from '@/lib/engine/index.ts';
import { strings } from '@/app/ui/strings.ts';

/** What a person can set, by the field of the request that it becomes. */
export type Parameter =
  | 'paths'
  | 'edges'
  | 'allEdges'
  | 'nodes'
  | 'ablate'
  | 'together'
  | 'ablation'
  | 'referencePrompts'
  | 'granularity'
  | 'maxDegree'
  | 'steps'
  | 'top'
  | 'seed'
  | 'foldNorm';

export type NameParameter = 'paths' | 'edges' | 'nodes' | 'ablate';
export type WholeParameter = 'maxDegree' | 'steps' | 'top' | 'seed';
export type FlagParameter = 'allEdges' | 'together' | 'foldNorm';

interface Shape {
  /** `prompt`: one alone; `prompts`: one or a set; `weights`: none at all */
  asks: 'prompt' | 'prompts' | 'weights';
  parameters: readonly Parameter[];
  /** names it cannot do without */
  required?: readonly NameParameter[];
  /** of which it takes one name alone */
  single?: readonly NameParameter[];
  /** default: all */
  references?: readonly Reference[];
}

const AGAINST = ['ablation', 'referencePrompts', 'seed'] as const;

const SHAPES = {
  flow: { asks: 'prompts', parameters: ['top'] },
  units: { asks: 'prompt', parameters: ['paths', 'nodes', 'top'], required: ['paths'], single: ['paths', 'nodes'] },
  concentration: { asks: 'prompts', parameters: ['granularity'] },
  interactions: { asks: 'prompts', parameters: ['maxDegree', 'top'] },
  heads: { asks: 'prompts', parameters: ['nodes'] },
  'virtual-head': { asks: 'prompt', parameters: ['edges', 'top'], required: ['edges'], single: ['edges'] },
  'naive-expansion': { asks: 'prompts', parameters: ['maxDegree'] },
  orders: { asks: 'prompts', parameters: ['maxDegree'] },
  attribution: { asks: 'prompts', parameters: [...AGAINST, 'steps', 'top'] },
  'edge-patch': { asks: 'prompts', parameters: ['edges', 'allEdges', 'together', ...AGAINST, 'top'], required: ['edges'] },
  ablate: { asks: 'prompts', parameters: ['ablate', 'together', ...AGAINST], required: ['ablate'] },
  repair: { asks: 'prompts', parameters: ['ablate', 'together', ...AGAINST], required: ['ablate'] },
  scrub: { asks: 'prompts', parameters: ['edges', 'allEdges', 'paths', ...AGAINST], references: ['resample', 'counterfactual'] },
  composition: { asks: 'weights', parameters: ['foldNorm', 'seed'] },
  circuits: { asks: 'weights', parameters: ['nodes', 'foldNorm', 'top'], required: ['nodes'], single: ['nodes'] },
} as const satisfies Partial<Record<View, Shape>>;

export type AnalysisView = keyof typeof SHAPES;

export interface Analysis extends Required<Shape> {
  view: AnalysisView;
  kind: Kind;
}

export const ANALYSIS_VIEWS = Object.keys(SHAPES) as AnalysisView[];

export function analysisOf(view: AnalysisView): Analysis {
  const shape: Shape = SHAPES[view];
  return { required: [], single: [], references: REFERENCES, ...shape, view, kind: KIND_OF_VIEW[view] };
}

/** What an empty field means, or how it is filled in; undefined where there is nothing to say. */
export function hintOf(parameter: Parameter, view: AnalysisView): string | undefined {
  return strings.analyses.particularHints[view]?.[parameter] ?? strings.analyses.hints[parameter];
}

const KINDS: readonly Kind[] = ['identity', 'approximation', 'causal', 'weights'];

/** The analyses by the kind of their numbers. */
export const ANALYSIS_GROUPS: readonly { kind: Kind; views: readonly AnalysisView[] }[] = KINDS.map((kind) => ({
  kind,
  views: ANALYSIS_VIEWS.filter((view) => KIND_OF_VIEW[view] === kind),
}));

export function isAnalysisView(name: unknown): name is AnalysisView {
  return ANALYSIS_VIEWS.some((view) => view === name);
}
