import {
  isEngineError,
  parsePath,
  printStop,
  isComponent,
  type AnalyzeRequest,
  type Generator,
  type Granularity,
  type Node,
  type PromptSet,
  type Reference,
} from '@/lib/engine/index.ts';
import { parsePromptSet } from '@/lib/engine/prompt-sets.ts';
import type { Setup } from '@/lib/wire.ts';
import { causalRequestOf, requestOf } from '@/app/ui/setup-request.ts';
import { strings } from '@/app/ui/strings.ts';
import type { Analysis, FlagParameter, NameParameter, Parameter, WholeParameter } from './analyses.ts';

/** A prompt set as it is being filled in. `own`: the board's prompt, or for references the set that is asked of. */
export interface SetValues {
  source: 'own' | 'generator' | 'examples';
  generator: Generator;
  count: string;
  seed: string;
  /** one JSON object a line */
  lines: string;
  name: string;
}

/** A form as it is being filled in: numbers and lists of names are texts. */
export type FormValues = Record<NameParameter | WholeParameter, string> &
  Record<FlagParameter, boolean> & {
    ablation: Reference;
    granularity: Granularity;
    prompts: SetValues;
    referencePrompts: SetValues;
    /** null = what the board asks */
    setup: Setup | null;
  };

export type Faults = Partial<Record<Parameter | 'prompts', string>>;
export type Outcome = { request: AnalyzeRequest } | { faults: Faults };

const EMPTY_SET: SetValues = { source: 'own', generator: 'induction', count: '20', seed: '', lines: '', name: strings.analyses.set.name };
const CIRCUIT_ENTRIES = '100';

/** What a form holds at first; names come from the path, edge or node that is selected. */
export function defaultsOf({ view, references }: Analysis, setup: Setup, selection: string | null): FormValues {
  const stops = selection?.includes('->') ? parsePath(selection) : [];
  const nodes = stops.filter(({ node }) => isComponent(node)).map(({ node }) => printStop({ node, slot: null }));
  const components = stops.length > 0 ? nodes : /^(a\d+\.h\d+|m\d+)$/.test(selection ?? '') ? [selection!] : [];
  const edges = stops.slice(1).flatMap((stop, index) => {
    const { node } = stops[index]!;
    return writes(node) ? [`${printStop({ node, slot: null })}->${printStop(stop)}`] : [];
  });
  const isPath = stops.at(-1)?.node.kind === 'logits';
  const isWhole = isPath && !isComponent(stops[0]!.node) && !selection!.includes('<');
  const heads = components.filter((name) => name.startsWith('a'));
  return {
    paths: isWhole && view === 'units' ? selection! : '',
    edges:
      view === 'virtual-head'
        ? heads
            .slice(0, 2)
            .join('->')
            .replace(/^[^>]*$/, '')
        : edges.join('\n'),
    nodes: view === 'units' ? (components[0] ?? '') : view === 'circuits' ? (heads.at(-1) ?? '') : heads.join(' '),
    ablate: components.join(' '),
    maxDegree: '',
    steps: '',
    top: view === 'circuits' ? CIRCUIT_ENTRIES : '',
    seed: '',
    allEdges: false,
    together: false,
    foldNorm: false,
    ablation: setup.counterfactual !== null ? 'counterfactual' : references.includes('zero') ? 'zero' : 'resample',
    granularity: 'head',
    prompts: EMPTY_SET,
    referencePrompts: EMPTY_SET,
    setup: null,
  };
}

/** Whether another run can write something else here; a bias is the same in every run. */
export function writes(node: Node): boolean {
  return node.kind === 'input' || isComponent(node);
}

/** Whether a parameter matters with what else is set. */
export function isWanted(parameter: Parameter, { view }: Analysis, values: FormValues): boolean {
  const draws = values.ablation === 'resample' || values.ablation === 'mean';
  if (parameter === 'edges' && view !== 'virtual-head') return !values.allEdges;
  if (parameter === 'top' && view === 'edge-patch') return values.allEdges;
  if (parameter === 'referencePrompts') return draws;
  if (parameter === 'seed' && view !== 'composition') return values.ablation === 'resample';
  return true;
}

/** The request that a form stands for, or what is wrong with it. */
export function requestOfForm(analysis: Analysis, values: FormValues, board: Setup): Outcome {
  const faults: Faults = {};
  const setup = values.setup ?? board;
  const request: AnalyzeRequest = asking(analysis, values, setup, faults);
  for (const parameter of analysis.parameters) {
    if (!isWanted(parameter, analysis, values)) continue;
    const value = readParameter(parameter, analysis, values, faults);
    if (value !== undefined) Object.assign(request, { [parameter]: value });
  }
  return Object.keys(faults).length > 0 ? { faults } : { request };
}

function asking({ view, asks, parameters }: Analysis, values: FormValues, setup: Setup, faults: Faults): AnalyzeRequest {
  if (asks === 'weights') return { view, model: setup.model };
  if (asks === 'prompts' && values.prompts.source !== 'own') {
    const prompts = readSet(values.prompts, (fault) => (faults.prompts = fault));
    return { view, model: setup.model, ...(prompts && { prompts }) };
  }
  return parameters.includes('ablation') ? causalRequestOf(setup, view) : requestOf(setup, view);
}

function readParameter(parameter: Parameter, analysis: Analysis, values: FormValues, faults: Faults): unknown {
  const fail = (fault: string) => void (faults[parameter] = fault);
  switch (parameter) {
    case 'paths':
    case 'edges':
    case 'nodes':
    case 'ablate':
      return readNames(parameter, analysis, values, fail);
    case 'maxDegree':
    case 'steps':
    case 'top':
    case 'seed':
      return readWhole(values[parameter], fail);
    case 'allEdges':
    case 'together':
    case 'foldNorm':
      return values[parameter] || undefined;
    case 'referencePrompts':
      if (values.referencePrompts.source !== 'own') return readSet(values.referencePrompts, fail);
      return values.prompts.source === 'own' ? fail(strings.analyses.faults.set) : undefined;
    case 'ablation':
    case 'granularity':
      return values[parameter];
  }
}

function readNames(
  parameter: NameParameter,
  { required, single }: Analysis,
  values: FormValues,
  fail: (fault: string) => void,
): string[] | undefined {
  const names = values[parameter].split(/[\s,;]+/).filter((name) => name !== '');
  if (names.length === 0 && required.includes(parameter)) fail(strings.analyses.faults.names);
  if (names.length > 1 && single.includes(parameter)) fail(strings.analyses.faults.one);
  return names.length === 0 ? undefined : names;
}

function readWhole(text: string, fail: (fault: string) => void): number | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  if (!/^\d{1,15}$/.test(trimmed)) fail(strings.analyses.faults.whole);
  return Number(trimmed);
}

function readSet({ source, generator, count, seed, lines, name }: SetValues, fail: (fault: string) => void): PromptSet | undefined {
  if (source === 'examples') {
    try {
      return parsePromptSet(lines, name);
    } catch (error) {
      if (!isEngineError(error)) throw error;
      return void fail(error.message);
    }
  }
  const many = readWhole(count, fail);
  const drawn = readWhole(seed, fail);
  if (many === undefined || many === 0) return void fail(strings.analyses.faults.count);
  return { generator, count: many, ...(drawn === undefined ? {} : { seed: drawn }) };
}

/** The form that stands for a request, as far as a form can. */
export function formOf(request: AnalyzeRequest, analysis: Analysis, board: Setup): FormValues {
  const text = (value: number | undefined) => (value === undefined ? '' : String(value));
  const { prompts, referencePrompts } = request;
  const plain = defaultsOf(analysis, board, null);
  const values: FormValues = {
    paths: (request.paths ?? []).join('\n'),
    edges: (request.edges ?? []).join('\n'),
    nodes: (request.nodes ?? []).join(' '),
    ablate: (request.ablate ?? []).join(' '),
    maxDegree: text(request.maxDegree),
    steps: text(request.steps),
    top: text(request.top),
    seed: text(request.seed),
    allEdges: request.allEdges ?? false,
    together: request.together ?? false,
    foldNorm: request.foldNorm ?? false,
    ablation: request.ablation ?? plain.ablation,
    granularity: request.granularity ?? plain.granularity,
    prompts: prompts ? setValuesOf(prompts) : EMPTY_SET,
    referencePrompts: referencePrompts ? setValuesOf(referencePrompts) : EMPTY_SET,
    setup: null,
  };
  const ofBoard = requestOfForm(analysis, values, board);
  const same = 'request' in ofBoard && isSameRequest(ofBoard.request, request);
  return same ? values : { ...values, setup: setupOf(request, board) };
}

function setValuesOf(set: PromptSet): SetValues {
  if ('generator' in set) {
    const { generator, count, seed } = set;
    return { ...EMPTY_SET, source: 'generator', generator, count: String(count), seed: seed === undefined ? '' : String(seed) };
  }
  const lines = set.examples.map((example) => JSON.stringify(example)).join('\n');
  return { ...EMPTY_SET, source: 'examples', lines, name: set.name ?? EMPTY_SET.name };
}

function setupOf({ model, prompt, counterfactual, position, target, foil }: AnalyzeRequest, board: Setup): Setup | null {
  if (prompt === undefined) return model === board.model ? null : { ...board, model };
  return {
    model,
    prompt,
    counterfactual: counterfactual ?? null,
    position: position ?? null,
    target: target ?? null,
    foil: foil ?? null,
  };
}

export function isSameRequest(left: AnalyzeRequest, right: AnalyzeRequest): boolean {
  return canonical(left) === canonical(right);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)))
      : part,
  );
}
