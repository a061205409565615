import { isComponent, parsePath, printNode, type AnalyzeRequest, type Answer, type View } from '../engine/index.ts';
import { parentsOf, readMembers, testable } from './mechanism.ts';
import { randomPathsLike } from './random-paths.ts';

/** Claims that make their runs and their predicates by themselves. */
export const TEMPLATES = ['exact', 'degrees', 'explain', 'matters', 'redundant', 'linear', 'long'] as const;
export type Template = (typeof TEMPLATES)[number];

/** What a person may set; each template reads its own. */
export interface TemplateSettings {
  degree: number;
  /** of the metric, 0…1 */
  share: number;
  /** an upper or lower bound, in the unit that the template names */
  bound: number;
  /** what the claim is about: one path, a pair of them, or many */
  paths: readonly string[];
  /** random paths to compare with, and what they are drawn with */
  count: number;
  seed: number;
}

export const DEFAULTS: Record<Template, TemplateSettings> = {
  exact: { degree: 3, share: 1, bound: 0.01, paths: [], count: 0, seed: 0 },
  degrees: { degree: 1, share: 0.9, bound: 0, paths: [], count: 0, seed: 0 },
  explain: { degree: 0, share: 0.9, bound: 0, paths: [], count: 0, seed: 0 },
  matters: { degree: 0, share: 0.95, bound: 0.1, paths: [], count: 50, seed: 0 },
  redundant: { degree: 0, share: 0.5, bound: 0.1, paths: [], count: 0, seed: 0 },
  linear: { degree: 0, share: 0, bound: 0.1, paths: [], count: 0, seed: 0 },
  long: { degree: 2, share: 0, bound: 0.05, paths: [], count: 0, seed: 0 },
};

/** Settings that each template reads, in the order in which a form asks for them. */
export const SETTINGS: Record<Template, readonly (keyof TemplateSettings)[]> = {
  exact: ['degree', 'bound'],
  degrees: ['degree', 'share'],
  explain: ['paths', 'share'],
  matters: ['paths', 'bound', 'share', 'count', 'seed'],
  redundant: ['paths', 'share', 'bound'],
  linear: ['bound'],
  long: ['degree', 'bound'],
};

/** The paths that a template needs: at least and at most. */
export const PATHS: Partial<Record<Template, [least: number, most: number]>> = {
  explain: [1, 200],
  matters: [1, 1],
  redundant: [2, 2],
};

/** A run to be made. `reference`: what replaces a node's output, the counterfactual where the board has one, else zero. */
export interface StepRun {
  view: View;
  reference: boolean;
  options: Partial<AnalyzeRequest>;
}

/** One piece of evidence: its runs and the predicate over them. */
export interface Step {
  /** which of the template's readings it tests */
  name: 'naive' | 'identity' | 'degrees' | 'share' | 'scrub' | 'effect' | 'joint' | 'repair' | 'defect' | 'orders';
  runs: StepRun[];
  predicate: string;
  /** shown for comparison; has no part in the claim's verdict */
  beside: boolean;
}

export interface TemplateFacts {
  hasCounterfactual: boolean;
  /** `flow` at the board's setup, where {@link needsFlow} asks for it */
  flow: Answer | null;
}

/** Whether paths to compare with are drawn, for which the model's edges must be known. */
export function needsFlow(template: Template): boolean {
  return template === 'matters';
}

const IDENTITY_BOUND = 0.0001;
const REPAIRED = 0.3;

/** What a template tests, with these settings. */
export function stepsOf(template: Template, settings: TemplateSettings, facts: TemplateFacts): Step[] {
  const { degree, share, bound, paths } = settings;
  switch (template) {
    case 'exact':
      return [
        step('naive', `naive(degree <= ${degree}) < ${bound} and defect(max) < ${bound}`, [
          run('naive-expansion', { maxDegree: degree }),
          run('interactions', { maxDegree: 1 }),
        ]),
        { ...step('identity', `error < ${IDENTITY_BOUND}`, [run('degrees', {})]), beside: true },
      ];
    case 'degrees':
      return [step('degrees', `share(degree <= ${degree}) >= ${share}`, [run('degrees', {})])];
    case 'explain':
      return explain(paths, share, facts);
    case 'matters':
      return matters(settings, facts);
    case 'redundant':
      return redundant(paths, share, bound);
    case 'linear':
      return [step('defect', `defect(max) < ${bound}`, [run('interactions', { maxDegree: 1 })])];
    case 'long':
      return [step('orders', `loss(degree > ${degree}) < ${bound} and loss(degree > ${degree}) > ${-bound}`, [run('orders', {})])];
  }
}

/** Their share of the metric; and, where there is a counterfactual prompt to feed everything else, what they keep of the loss. */
function explain(members: readonly string[], share: number, { hasCounterfactual }: TemplateFacts): Step[] {
  const read = readMembers(members);
  const carried = testable(read).paths;
  const steps = [step('share', `share(${quoted(read.paths)}) >= ${share}`, [run('suffixes', { paths: parentsOf(read.paths) })])];
  if (!hasCounterfactual || carried.length === 0) return steps;
  const scrubbed = causal('scrub', { paths: carried, ablation: 'counterfactual' });
  return [...steps, step('scrub', `recovered >= ${share}`, [scrubbed])];
}

function matters({ paths, bound, share, count, seed }: TemplateSettings, { flow }: TemplateFacts): Step[] {
  const [path = ''] = paths;
  const others = flow ? randomPathsLike(path, flow, count, seed) : [];
  const predicate = `quantile(${quoted([path])}) >= ${share} and magnitude(${quoted([path])}) > ${bound}`;
  return [step('effect', predicate, [causal('path-effect', { paths: [path, ...others] })])];
}

/** Together they do more than one by one; beside it how much of the loss of the first the others make up for. */
function redundant(paths: readonly string[], share: number, bound: number): Step[] {
  const [first = ''] = paths;
  const pair = quoted(paths);
  const joint = step('joint', `redundancy(${pair}) >= ${share} and magnitude(${pair}) > ${bound}`, [
    causal('path-effect', { paths: [...paths], together: true }),
  ]);
  const node = first.includes('->') ? parsePath(first).find((stop) => isComponent(stop.node)) : undefined;
  if (!node) return [joint];
  const name = printNode(node.node);
  const repair = step('repair', `compensation(${quoted([name])}) >= ${REPAIRED}`, [causal('repair', { ablate: [name] })]);
  return [joint, { ...repair, beside: true }];
}

function step(name: Step['name'], predicate: string, runs: StepRun[]): Step {
  return { name, predicate, runs, beside: false };
}

function run(view: View, options: Partial<AnalyzeRequest>): StepRun {
  return { view, options, reference: false };
}

function causal(view: View, options: Partial<AnalyzeRequest>): StepRun {
  return { view, options, reference: true };
}

const quoted = (names: readonly string[]) => names.map((name) => JSON.stringify(name)).join(', ');
