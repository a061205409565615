import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { analyze, type Answer, type Model, type TokenRequest } from '../../lib/engine/index.ts';
import { FIXTURES, loadModel, noControl } from './testing.ts';

/** Reference numbers in float64 for tests of the engine, and how close float32 must come to them. */

type Table = Record<string, number>;
type Scores = Record<'previous' | 'duplicate' | 'induction', number | null>;
type Repair = Record<'real' | 'frozen' | 'compensation', number>;

export interface GoldenPrompt {
  tokens: number[];
  counterfactual_tokens: number[];
  target: number;
  foil: number | null;
}

/** Per-example tables of a hypothesis; `kind` says whether `edges` or `paths` is there. */
export interface GoldenScrub {
  kind: 'edges' | 'paths';
  edges?: string[];
  paths?: string[];
  examples: { tokens: number[]; donor_tokens: number[]; target: number }[];
  loss_model: number[];
  loss_random: number[];
  loss_scrubbed: number[];
  recovered: number[];
  recovered_mean: number;
}

/** What the files may hold; a model's file has the tables that make sense for it. */
export interface Golden extends GoldenPrompt {
  position: number;
  logits: number[];
  metric: number;
  counterfactual_metric: number;
  direct: Table;
  degree_spectrum: number[];
  frozen_paths?: { count: number; sum: number; top: Table };
  residual_expansion: { relative_error_by_degree: number[]; term_norm_by_degree: number[] };
  moebius: Table;
  edge_patch: Table;
  edge_patch_qkv: Table;
  edge_patch_all_of_the_above: number;
  edge_patch_zero?: Table;
  edge_patch_mean?: Table;
  edge_patch_resample?: { donor_tokens: number[]; values: Table };
  path_effect: Table;
  path_effect_all_of_the_above?: number;
  composition?: Record<string, Record<'q' | 'k' | 'v', number>>;
  composition_fold_norm?: Record<string, Record<'q' | 'k' | 'v', number>>;
  attribution: Table;
  eap?: Table;
  eap_zero?: Table;
  eap_ig?: { steps: number; scores: Table };
  zero_ablation: Table;
  zero_ablation_all_of_the_above?: number;
  mean_ablation?: Table;
  counterfactual_ablation?: Table;
  repair?: Record<string, Repair>;
  repair_counterfactual?: Record<string, Repair>;
  /** the expansion of the run with `node` zeroed: number, sum and largest paths */
  repair_paths?: { node: string; count: number; sum: number; top: Table };
  repair_joint?: { nodes: string[] } & Repair;
  scrub?: GoldenScrub[];
  orders: number[];
  orders_set?: { per_prompt: number[][]; mean: number[] };
  prompt_set?: GoldenPrompt[];
  additivity_defect: Table;
  additivity_defect_frozen_scale?: Table;
  concentration?: Partial<Record<'sublayer' | 'head' | 'neuron', Record<'n50' | 'n90' | 'n99' | 'effective' | 'mass' | 'count', number>>>;
  flow: Table;
  heads_tokens?: number[];
  heads?: Record<string, Scores>;
  heads_on_prompt?: Record<string, Scores>;
  patterns_sample?: { head: string; pattern: number[][] };
  virtual_head?: { heads: string; pattern_rows: number[][]; ov_norm: number };
  /** rows are [from, to, value] and [query, key, value] */
  full_circuits?: { head: string; ov: [number, number, number][]; qk: [number, number, number][] };
  opened_nodes?: Record<string, { node: string; by_neuron?: number[]; by_position?: number[][] }>;
}

const SHARED = fileURLToPath(new URL('../../../shared/', import.meta.url));

/** Models whose weights and numbers lie beside the tests. */
export const goldenNames = [
  'random-gpt2',
  'random-attn-only',
  'random-neox',
  'random-neox-sequential',
  'random-llama',
  'random-llama-tied',
  'random-qwen2',
  'random-gpt-neo',
  'random-lens-mlp',
  'random-lens-gated',
] as const;

/** Models too large for the repository, in a folder `shared` beside it. */
export const sharedNames = ['stories260k'] as const;

export type GoldenName = (typeof goldenNames)[number] | (typeof sharedNames)[number];

const isShared = (name: GoldenName) => (sharedNames as readonly string[]).includes(name);

/** NAME.json, and over it NAME.extra.json where there is one. */
export async function loadGolden(name: GoldenName): Promise<Golden> {
  const folder = isShared(name) ? join(SHARED, 'goldens') : join(FIXTURES, 'goldens');
  const files = [`${name}.json`, `${name}.extra.json`].map((file) => join(folder, file)).filter((file) => existsSync(file));
  const parts = await Promise.all(files.map(async (file) => JSON.parse(await readFile(file, 'utf8')) as Partial<Golden>));
  return Object.assign({}, ...parts) as Golden;
}

/** Remember to close it. */
export function goldenModel(name: GoldenName): Promise<Model> {
  return loadModel(isShared(name) ? join(SHARED, 'models', name) : join(FIXTURES, name));
}

/** A model with its numbers, there once tests run. */
export interface Subject {
  readonly model: Model;
  readonly golden: Golden;
  /** The question of the model's file, with what else is asked. */
  ask(request: Partial<TokenRequest> & Pick<TokenRequest, 'view'>): Promise<Answer>;
}

/** Runs a suite for every model, or those that GOLDENS names; what is not there is skipped by name and warned about. */
export function describeGoldens(title: string, suite: (subject: Subject) => void): void {
  const wanted = process.env['GOLDENS']?.split(' ');
  for (const name of [...goldenNames, ...sharedNames].filter((one) => wanted?.includes(one) ?? true)) {
    const folder = join(SHARED, 'models', name);
    const absent = isShared(name) && !existsSync(folder);
    if (absent) process.stderr.write(`\nSKIPPED: ${title} ${name}, for want of ${folder}\n`);
    describe.skipIf(absent)(`${title} ${name}${absent ? `: SKIPPED, ${folder} is not there` : ''}`, () => {
      const loaded: { model?: Model; golden?: Golden } = {};
      beforeAll(async () => {
        loaded.model = await goldenModel(name);
        loaded.golden = await loadGolden(name);
      });
      afterAll(() => loaded.model?.close());
      suite({
        get model() {
          return loaded.model!;
        },
        get golden() {
          return loaded.golden!;
        },
        ask: (request) => analyze(loaded.model!, { model: name, ...goldenRequest(loaded.golden!), ...request }, noControl),
      });
    });
  }
}

/** The question that the single-prompt tables of a file answer. */
export function goldenRequest({ tokens, counterfactual_tokens, position, target, foil }: Golden) {
  return { tokens, counterfactualTokens: counterfactual_tokens, position, target, foil } satisfies Partial<TokenRequest>;
}

/** Agreement to `tolerance` of the largest magnitude of the table, term by term. */
export function expectTable(found: Table, wanted: Table, tolerance = 1e-4): void {
  const scale = Math.max(...Object.values(wanted).map(Math.abs));
  expect(Object.keys(found).toSorted()).toEqual(Object.keys(wanted).toSorted());
  for (const [name, value] of Object.entries(wanted)) {
    expect(Math.abs(found[name]! - value), `${name}: ${found[name]} against ${value}`).toBeLessThanOrEqual(tolerance * scale);
  }
}

/** A list as a table by index. */
export function indexed(values: readonly number[]): Table {
  return Object.fromEntries(values.map((value, index) => [index, value]));
}
