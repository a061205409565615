import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { analyze } from '../../lib/engine/index.ts';
import { readModelFolder } from './model-folder.ts';
import { randomLens, safetensors, writeModel } from './random-model.ts';
import { FIXTURES, loadModel, noControl } from './testing.ts';

const folders: string[] = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

/** A fixture with fields of its config changed; undefined takes a field away. */
async function altered(name: string, fields: Record<string, unknown>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pathboard-family-'));
  folders.push(folder);
  await cp(join(FIXTURES, name), folder, { recursive: true });
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as object;
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, ...fields }));
  return folder;
}

test('each family reads its sizes', async () => {
  const spec = async (name: string) => (await readModelFolder(join(FIXTURES, name))).spec;
  expect(await spec('random-neox')).toMatchObject({ family: 'gpt-neox', parallel: true, rotary: { dims: 4, base: 10_000 }, kvHeads: 4 });
  expect(await spec('random-neox-sequential')).toMatchObject({ family: 'gpt-neox', parallel: false, rotary: { dims: 2 } });
  expect(await spec('random-llama')).toMatchObject({ family: 'llama', heads: 4, kvHeads: 2, norm: 'rms', activation: 'silu' });
  expect(await spec('random-llama-tied')).toMatchObject({ kvHeads: 1, rotary: { base: 1000 } });
  expect(await spec('random-qwen2')).toMatchObject({ family: 'qwen2', rotary: { base: 1_000_000 } });
  expect(await spec('random-gpt-neo')).toMatchObject({ family: 'gpt-neo', attentionScale: 1, windows: [null, 4] });
  expect(await spec('random-lens-mlp')).toMatchObject({ family: 'transformer-lens', norm: 'layer', windows: [null, null] });
  expect(await spec('random-lens-gated')).toMatchObject({
    norm: 'rms',
    parallel: true,
    rotary: { dims: 4, base: 10_000 },
    activation: 'silu',
  });
});

test.each([
  [{ partial_rotary_factor: 0.25, rope_theta: 5000 }, {}, { dims: 2, base: 5000 }],
  [{ partial_rotary_factor: 1, rope_type: 'default' }, {}, { dims: 8, base: 10_000 }],
  [{ partial_rotary_factor: 0.25 }, { rotary_pct: 0.5, rotary_emb_base: 200 }, { dims: 2, base: 200 }],
  [{ rope_theta: 5000 }, { rotary_pct: 0.75, rotary_emb_base: 200 }, { dims: 6, base: 5000 }],
  [undefined, { rope_theta: 300 }, { dims: 2, base: 300 }],
])('GPT-NeoX turns the share of channels that rope_parameters %j or, beside it, %j say', async (rope_parameters, older, rotary) => {
  const plain = { rotary_pct: undefined, rotary_emb_base: undefined };
  const { spec } = await readModelFolder(await altered('random-neox', { ...plain, ...older, rope_parameters }));
  expect(spec.rotary).toEqual(rotary);
});

test('a tied GPT-NeoX reads its embedding twice, whatever else the file holds for it', async () => {
  const { spec } = await readModelFolder(await altered('random-neox', { tie_word_embeddings: true }));
  expect(spec.weights.unembed.name).toBe('gpt_neox.embed_in.weight');
});

test('b_in of a TransformerLens MLP is behind the gates where it is gated, and inside the activation where it is not', async () => {
  const mlpOf = async (name: string) => (await readModelFolder(join(FIXTURES, name))).spec.weights.layers[0]!.mlp!;
  const bias = { name: 'blocks.0.mlp.b_in' };
  expect(await mlpOf('random-lens-gated')).toMatchObject({ inBias: null, hiddenBias: bias, gateBias: null });
  expect(await mlpOf('random-lens-mlp')).toMatchObject({ inBias: bias, hiddenBias: null, gate: null });
});

test.each(['LN', 'LNPre', 'RMS', null] as const)(
  'a gated TransformerLens MLP with biases and norm %s splits without a rest',
  async (norm) => {
    const sizes = { layers: 2, heads: 2, d: 20, dHead: 8, dMlp: 12, vocabulary: 30, context: 12, norm, activation: 'silu', gated: true };
    const folder = await writeModel(randomLens(sizes, 51));
    folders.push(folder);
    const model = await loadModel(folder);
    const request = { model: '', tokens: [3, 17, 8, 21], target: 4, foil: null };
    const logits = await analyze(model, { ...request, view: 'logits' }, noControl);
    const wanted = logits.terms.find(({ name }) => name === '4')!.logit!;
    for (const view of ['direct', 'degrees', 'paths'] as const) {
      const { sum, error } = await analyze(model, { ...request, view }, noControl);
      expect(Math.abs(sum! - wanted), view).toBeLessThan(1e-5);
      expect(error, view).toBeLessThan(1e-5);
    }
    await model.close();
  },
);

test.each([
  ['random-llama', { rope_scaling: { rope_type: 'llama3', factor: 8 } }, 'rope_scaling: expected rope_type "default"'],
  ['random-llama', { rope_scaling: { type: 'linear', factor: 2 } }, 'got "linear"'],
  ['random-llama-tied', { rope_parameters: { rope_type: 'yarn', rope_theta: 1000 } }, 'rope_parameters: expected rope_type "default"'],
  ['random-llama', { partial_rotary_factor: 0.5 }, 'partial_rotary_factor: expected 1'],
  ['random-llama', { layer_types: ['full_attention', 'sliding_attention', 'full_attention'] }, 'got "sliding_attention"'],
  ['random-llama', { num_key_value_heads: 3 }, 'num_key_value_heads: expected a divisor of num_attention_heads = 4, got 3'],
  ['random-llama', { hidden_act: 'quick_gelu' }, 'hidden_act: expected'],
  ['random-qwen2', { use_sliding_window: true }, 'use_sliding_window: expected false'],
  ['random-neox', { rotary_pct: 1.5 }, 'rotary_pct: expected a share from 0 to 1, got 1.5'],
  [
    'random-neox',
    { rope_parameters: { partial_rotary_factor: 1.5 } },
    'rope_parameters: partial_rotary_factor: expected a share from 0 to 1',
  ],
  ['random-neox', { rope_parameters: { rope_type: 'yarn' } }, 'rope_parameters: expected rope_type "default"'],
  ['random-neox', { rope_parameters: { rope_theta: -1 } }, 'rope_parameters: rope_theta: expected a positive number, got -1'],
  ['random-neox', { rotary_emb_base: 'high' }, 'rotary_emb_base: expected a positive number, got "high"'],
  ['random-llama-tied', { rope_parameters: { partial_rotary_factor: 0.5 } }, 'rope_parameters: partial_rotary_factor: expected 1, got 0.5'],
  ['random-neox', { rotary_pct: 0.4 }, 'an even number of channels, got 3'],
  ['random-neox', { num_attention_heads: 5 }, 'hidden_size: expected a multiple of num_attention_heads = 5'],
  ['random-gpt-neo', { attention_types: [[['global', 'sparse'], 1]] }, '"global" or "local", got "sparse"'],
  ['random-gpt-neo', { attention_types: [[['global'], 1]] }, 'one kind for each of 2 layers'],
  ['random-gpt-neo', { window_size: undefined }, 'window_size: expected a positive whole number'],
  ['random-gpt2', { model_type: 'mixtral' }, 'expected model_type "gpt2", "gpt_neox", "gpt_neo", "llama", "qwen2"'],
  ['random-gpt2', { model_type: 'gemma2' }, 'got model_type "gemma2"'],
  ['random-lens-mlp', { rotary_adjacent_pairs: true }, 'rotary_adjacent_pairs: expected false'],
  ['random-lens-mlp', { use_normalization_before_and_after: true }, 'use_normalization_before_and_after: expected false'],
  ['random-lens-mlp', { num_experts: 4 }, 'num_experts: expected'],
  ['random-lens-mlp', { output_logits_soft_cap: 30 }, 'output_logits_soft_cap: expected'],
  ['random-lens-mlp', { scale_attn_by_inverse_layer_idx: true }, 'scale_attn_by_inverse_layer_idx: expected false'],
])('%s with %j is refused by name', async (name, fields, message) => {
  await expect(readModelFolder(await altered(name, fields))).rejects.toThrow(message);
});

test('a tensor that the family does not have is refused by name, not left out', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pathboard-family-'));
  folders.push(folder);
  await cp(join(FIXTURES, 'random-qwen2'), folder, { recursive: true });
  const extra = { name: 'model.layers.0.self_attn.q_norm.weight', shape: [6], data: new Float32Array(6) };
  await writeFile(join(folder, 'extra.safetensors'), safetensors([extra]));
  const index = JSON.parse(await readFile(join(folder, 'model.safetensors.index.json'), 'utf8')) as { weight_map: object };
  const weight_map = { ...index.weight_map, [extra.name]: 'extra.safetensors' };
  await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ ...index, weight_map }));
  await expect(readModelFolder(folder)).rejects.toThrow('tensor model.layers.0.self_attn.q_norm.weight: expected only tensors');
});
