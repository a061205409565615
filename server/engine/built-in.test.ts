import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { analyze, resolveRequest, type AnalyzeRequest, type Model } from '../../lib/engine/index.ts';
import type { Codec } from '../../lib/tokens.ts';
import { readCodec } from './model-folder.ts';
import { loadModel, noControl } from './testing.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FOLDER = join(ROOT, 'public/models/attn-2l');

interface Golden {
  prompts: { text: string; tokens: number[]; position: number; logits: number[] }[];
}

describe('the built-in model', () => {
  let model: Model;
  let codec: Codec;
  const ask = (request: Omit<AnalyzeRequest, 'model'>) =>
    analyze(model, resolveRequest({ ...request, model: 'attn-2l' }, codec, model.spec.vocabulary), noControl);

  beforeAll(async () => {
    model = await loadModel(FOLDER);
    codec = await readCodec(FOLDER);
  });
  afterAll(() => model.close());

  test('tokens and logits agree with a float64 pass in numpy', async () => {
    const golden = JSON.parse(await readFile(join(ROOT, 'bench/train/attn-2l.golden.json'), 'utf8')) as Golden;
    expect(golden.prompts.length).toBeGreaterThan(0);
    for (const { text, tokens, position, logits } of golden.prompts) {
      expect(codec.encode(text, true)).toEqual(tokens);
      const answer = await ask({ view: 'logits', prompt: text, position });
      const scale = Math.max(...logits.map(Math.abs));
      for (const { name, logit } of answer.terms) expect(Math.abs(logit! - logits[Number(name)]!)).toBeLessThan(1e-4 * scale);
    }
  });

  test('its example is predicted by copying, and the counterfactual takes that away', async () => {
    const example = JSON.parse(await readFile(join(FOLDER, 'example.json'), 'utf8')) as Record<
      'prompt' | 'counterfactual' | 'target' | 'foil',
      string
    >;
    const { prompt, counterfactual, target, foil } = example;
    const answer = await ask({ view: 'paths', prompt, counterfactual, target, foil, top: 100_000 });
    expect(answer.metric).toBeGreaterThan(1);
    expect(answer.counterfactualMetric!).toBeLessThan(answer.metric! - 1);
    expect(answer.search).toBe('exhaustive');
    expect(answer.error).toBeLessThan(1e-4);
    const likely = await ask({ view: 'logits', prompt, top: 1 });
    expect(codec.text(Number(likely.terms[0]!.name))).toBe(target);
    const heads = await ask({
      view: 'ablate',
      prompt,
      counterfactual,
      target,
      foil,
      ablate: Array.from({ length: 8 }, (_, head) => `a1.h${head}`),
      together: true,
    });
    expect(heads.joint!.value).toBeLessThan(answer.metric! - 1);
  });
});
