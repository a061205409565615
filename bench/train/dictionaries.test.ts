import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { SlowModel, affine, normalise, sum, type Matrix } from '../../server/engine/slow-model.ts';
import { readTensors, storedModel } from '../../server/engine/testing.ts';

/** The dictionaries' cards, held against their files and a float64 pass of the model. */

const DICTIONARIES = fileURLToPath(new URL('dictionaries/', import.meta.url));
const MODEL = fileURLToPath(new URL('../../public/models/gpt-4l/', import.meta.url));
const readJson = async <T>(path: string) => JSON.parse(await readFile(path, 'utf8')) as T;

interface Config {
  architecture: string;
  d_in: number;
  d_sae: number;
  k?: number;
  apply_b_dec_to_input: boolean;
  metadata: { hook_name: string; hook_name_out?: string; model_name: string };
}
interface Card {
  model_sha256: string;
  explained_variance: number;
  loss: Record<'clean' | 'replaced' | 'zero', number>;
  sample: { tokens: number[]; l0: number; explained_variance: number; last_position: [number, number][] };
}

let slow: SlowModel;
let norms: ReadonlyMap<string, number[]>;
beforeAll(async () => {
  const model = await storedModel(MODEL);
  slow = new SlowModel(model);
  norms = new Map(model.tensors.map(({ name, data }) => [name, name.includes('ln_2') ? [...data] : []]));
});

/** What the model has at a hook of SAELens, without the first token. */
function valueAt(hook: string, tokens: number[]): Matrix {
  const [, layer, place] = /^blocks\.(\d+)\.(.+)$/.exec(hook)!;
  const mlp = 2 * Number(layer) + 1;
  const before = slow.blocks.slice(0, mlp).reduce((stream, { write }) => sum(stream, write(stream)), slow.embed(tokens));
  const written = () => slow.blocks[mlp]!.write(before);
  const norm = (part: string) => norms.get(`transformer.h.${layer}.ln_2.${part}`)!;
  const values: Record<string, () => Matrix> = {
    'mlp.hook_in': () => before.map((row) => normalise(row, norm('weight'), norm('bias'), true)),
    hook_mlp_out: written,
    hook_resid_post: () => sum(before, written()),
  };
  return values[place!]!().slice(1);
}

function activate(before: number[], { architecture, k }: Config): number[] {
  const least = architecture === 'topk' ? before.toSorted((a, b) => b - a)[k! - 1]! : 0;
  return before.map((value) => (value >= least ? Math.max(0, value) : 0));
}

function explained(found: Matrix, wanted: Matrix): number {
  const mean = wanted[0]!.map((_, channel) => wanted.reduce((total, row) => total + row[channel]!, 0) / wanted.length);
  const square = (rows: Matrix, from: (row: number, channel: number) => number) =>
    rows.reduce((total, row, at) => row.reduce((part, value, channel) => part + (value - from(at, channel)) ** 2, total), 0);
  return 1 - square(found, (at, channel) => wanted[at]![channel]!) / square(wanted, (_, channel) => mean[channel]!);
}

describe.each(['resid-post-2', 'mlp-out-1', 'transcoder-1'])('the dictionary %s', (name) => {
  test('explains of a sentence what its card says, with the features that the card names', async () => {
    const config = await readJson<Config>(`${DICTIONARIES}${name}/cfg.json`);
    const { sample } = await readJson<Card>(`${DICTIONARIES}${name}/card.json`);
    const weights = new Map((await readTensors(`${DICTIONARIES}${name}/`, 'sae_weights.safetensors')).map((one) => [one.name, one]));
    expect([...weights.keys()].toSorted()).toEqual(['W_dec', 'W_enc', 'b_dec', 'b_enc']);
    expect([weights.get('W_enc')!.shape, weights.get('b_enc')!.shape]).toEqual([[config.d_in, config.d_sae], [config.d_sae]]);
    const matrix = (part: string, width: number) => {
      const values = [...weights.get(part)!.data];
      return Array.from({ length: values.length / width }, (_, row) => values.slice(row * width, (row + 1) * width));
    };
    const [decoder, encoderBias, decoderBias] = [matrix('W_dec', config.d_in), matrix('b_enc', 1).flat(), matrix('b_dec', 1).flat()];
    const x = valueAt(config.metadata.hook_name, sample.tokens);
    const read = config.apply_b_dec_to_input ? x.map((row) => row.map((value, channel) => value - decoderBias[channel]!)) : x;
    const features = affine(read, matrix('W_enc', config.d_sae), encoderBias).map((row) => activate(row, config));
    const wanted = valueAt(config.metadata.hook_name_out ?? config.metadata.hook_name, sample.tokens);
    const active = features.map((row) => row.filter((value) => value > 0).length);
    expect(active.reduce((total, count) => total + count, 0) / active.length).toBeCloseTo(sample.l0, 6);
    expect(explained(affine(features, decoder, decoderBias), wanted)).toBeCloseTo(sample.explained_variance, 5);
    const last = features
      .at(-1)!
      .map((value, feature) => [feature, value] as const)
      .filter(([, value]) => value > 0);
    expect(last.map(([feature]) => feature)).toEqual(sample.last_position.map(([feature]) => feature));
    for (const [at, [, value]] of last.entries()) expect(value).toBeCloseTo(sample.last_position[at]![1], 4);
  });

  test('is of the model that is here, and better than nothing in its place', async () => {
    const { model_sha256: sha256, explained_variance: share, loss } = await readJson<Card>(`${DICTIONARIES}${name}/card.json`);
    const weights = await readFile(`${MODEL}model.safetensors`);
    expect(createHash('sha256').update(weights).digest('hex')).toBe(sha256);
    expect(share).toBeGreaterThan(0.2);
    expect(loss.replaced).toBeLessThan(loss.zero);
  });
});
