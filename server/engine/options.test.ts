import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { analyze, type TokenRequest } from '../../lib/engine/index.ts';
import { goldenModel } from './golden-tables.ts';
import { randomGpt2, safetensors, writeModel } from './random-model.ts';
import { loadModel, noControl } from './testing.ts';

const tokens = [3, 1, 4];

test.each<[Partial<TokenRequest> & Pick<TokenRequest, 'view'>, string]>([
  [{ view: 'paths', paths: ['input->logits'] }, 'path: expected none, since paths takes --max-degree, got one'],
  [{ view: 'paths', untilMass: 0.5 }, 'until-mass: expected none, since paths takes --max-degree'],
  [{ view: 'direct', granularity: 'neuron' }, 'granularity: expected none, since direct takes no such options'],
  [{ view: 'flow', ablation: 'zero' }, 'ablation: expected none, since flow takes --positions'],
  [{ view: 'direct', positions: true }, 'positions: expected none, since direct takes no such options'],
  [{ view: 'flow', ablate: ['a0.h0'] }, 'ablate: expected none'],
  [{ view: 'ablate', ablate: ['a0.h0'], steps: 3 }, 'steps: expected none, since ablate takes --ablate, --together'],
])('%j: an option that the view would ignore is refused', async (request, message) => {
  const model = await goldenModel('random-gpt2');
  await expect(analyze(model, { model: '', tokens, ...request }, noControl)).rejects.toThrow(message);
  await model.close();
});

test('a target for all is refused where every example has its own', async () => {
  const model = await goldenModel('random-gpt2');
  const prompts = [{ tokens, target: 5 }];
  const answer = analyze(model, { model: '', view: 'direct', prompts, target: 7 }, noControl);
  await expect(answer).rejects.toThrow("target: expected each example's own");
  await model.close();
});

test('weights that are not numbers give an error, not an answer', async () => {
  const random = randomGpt2({ layers: 1, heads: 2, d: 8, vocabulary: 10, context: 4, prefix: '', tied: true, activation: 'gelu' }, 1);
  random.tensors.find(({ name }) => name === 'wte.weight')!.data[8] = Number.NaN;
  const folder = await writeModel(random);
  await writeFile(join(folder, 'model.safetensors'), safetensors(random.tensors));
  const model = await loadModel(folder);
  await expect(analyze(model, { model: '', view: 'logits', tokens: [1, 2] }, noControl)).rejects.toThrow(
    'forward pass: expected finite logits',
  );
  await model.close();
  await rm(folder, { recursive: true });
});
