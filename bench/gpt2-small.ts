import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomGpt2, seeded, writeModel } from '../server/engine/random-model.ts';
import type { ModelSpec } from '../lib/engine/index.ts';

export const SEED = 20_261_123;
const CACHE = fileURLToPath(new URL('./.cache/', import.meta.url));

/** The folder of a GPT-2-small shape with seeded random weights, made once (498 MB). */
export async function gpt2SmallFolder(): Promise<string> {
  const folder = join(CACHE, `gpt2-small-${SEED}`);
  if (await stat(folder).catch(() => null)) return folder;
  await mkdir(CACHE, { recursive: true });
  const sizes = {
    layers: 12,
    heads: 12,
    d: 768,
    vocabulary: 50_257,
    context: 1024,
    prefix: '',
    tied: true,
    activation: 'gelu_new',
  } as const;
  const draft = await writeModel(randomGpt2(sizes, SEED), CACHE);
  await rename(draft, folder).catch(async (error: unknown) => {
    await rm(draft, { recursive: true, force: true });
    throw error;
  });
  return folder;
}

/** `count` different paths of three components from `input`, each equally likely. */
export function drawPaths(spec: ModelSpec, count: number, seed: number): string[] {
  const random = seeded(seed);
  const stages: string[][] = [];
  for (let layer = 0; layer < spec.layers; layer++) {
    stages.push(Array.from({ length: spec.heads }, (_, head) => `a${layer}.h${head}`));
    if (spec.hasMlp) stages.push([`m${layer}`]);
  }
  const nodes = stages.flatMap((names, stage) => names.map((name) => ({ name, stage })));
  const drawn = new Set<string>();
  while (drawn.size < count) {
    const three = [0, 1, 2].map(() => nodes[Math.floor(random() * nodes.length)]!);
    const increasing = three[0]!.stage < three[1]!.stage && three[1]!.stage < three[2]!.stage;
    if (increasing) drawn.add(`input->${three.map(({ name }) => name).join('->')}->logits`);
  }
  return [...drawn];
}

export function drawTokens(vocabulary: number, count: number, seed: number): number[] {
  const random = seeded(seed);
  return Array.from({ length: count }, () => Math.floor(random() * vocabulary));
}

let runs = 0;

/** Tokens of the same length that nothing has been kept for. */
export function fresh(vocabulary: number, tokens: readonly number[]): number[] {
  return [runs++ % vocabulary, ...tokens.slice(1)];
}
