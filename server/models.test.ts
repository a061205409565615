import { appendFile, cp, mkdir, mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FIXTURES } from './engine/testing.ts';
import { randomGpt2, safetensors } from './engine/random-model.ts';
import { importModel } from './model-import.ts';
import { deleteModel, filesOfModel, listModels, openModelFolder } from './models.ts';

let home: string;
let source: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'pathboard-home-'));
  source = join(home, 'source');
  await cp(join(FIXTURES, 'random-gpt2'), source, { recursive: true });
});
afterEach(() => rm(home, { recursive: true }));

const imported = async () => (await listModels(home)).filter(({ builtIn }) => !builtIn).map(({ name }) => name);
const editConfig = async (change: (config: Record<string, unknown>) => void) => {
  const config = JSON.parse(await readFile(join(source, 'config.json'), 'utf8')) as Record<string, unknown>;
  change(config);
  await writeFile(join(source, 'config.json'), JSON.stringify(config));
};

describe('the list', () => {
  test('is not taken away by a folder that cannot be read, which is told once', async () => {
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    await importModel(home, source, 'whole');
    const broken = join(home, 'models', 'broken');
    await mkdir(broken);
    await writeFile(join(broken, 'config.json'), '{');
    expect(await imported()).toEqual(['whole']);
    expect(await imported()).toEqual(['whole']);
    expect(written.mock.calls.map(([line]) => line)).toEqual([expect.stringContaining(`${broken}: config.json: expected JSON`)]);
    await expect(openModelFolder(home, 'broken')).rejects.toThrow('config.json: expected JSON');
    written.mockRestore();
  });

  test.each(['{', '[]', '{"hash":5}', 'null'])('nor by a record or example that says %j', async (text) => {
    const { hash } = await importModel(home, source, 'whole');
    for (const file of ['pathboard.json', 'example.json']) await writeFile(join(home, 'models', 'whole', file), text);
    expect((await listModels(home)).find(({ name }) => name === 'whole')).toMatchObject({ hash, example: null });
  });
});

describe('import', () => {
  test('a whole folder becomes a model, once', async () => {
    const first = await importModel(home, source, 'tiny');
    expect(first).toMatchObject({ name: 'tiny', family: 'gpt2', layers: 3, heads: 4, vocabulary: 50, builtIn: false, hasTokenizer: false });
    expect(await importModel(home, source, 'tiny')).toEqual(first);
    expect((await openModelFolder(home, 'tiny')).hash).toBe(first.hash);
    expect(await imported()).toEqual(['tiny']);
  });

  test('another model under a taken name is refused and changes nothing', async () => {
    const first = await importModel(home, source, 'tiny');
    await expect(importModel(home, join(FIXTURES, 'random-attn-only'), 'tiny')).rejects.toThrow('a name that no other model has');
    expect((await openModelFolder(home, 'tiny')).hash).toBe(first.hash);
  });

  test('what an interrupted import left behind is not a model, and goes at the next import', async () => {
    const leftover = join(home, 'models', '.import-999999999-x');
    await mkdir(leftover, { recursive: true });
    await cp(join(source, 'config.json'), join(leftover, 'config.json'));
    expect(await imported()).toEqual([]);
    await importModel(home, source, 'tiny');
    expect(await readdir(join(home, 'models'))).toEqual(['tiny']);
  });

  test.each([['../up'], ['a/b'], ['.hidden'], [''], ['x'.repeat(101)]])('the name %j is refused', async (name) => {
    await expect(importModel(home, source, name)).rejects.toThrow('name: expected letters');
  });

  const cases: [string, () => Promise<void>, string][] = [
    ['no config.json', () => rm(join(source, 'config.json')), 'config.json: expected a readable file, got no such file'],
    ['config.json that is not JSON', () => writeFile(join(source, 'config.json'), '{'), 'config.json: expected JSON'],
    [
      'a missing field',
      () => editConfig((config) => delete config['n_embd']),
      'config.json: n_embd: expected a positive whole number, got nothing',
    ],
    [
      'a field of the wrong kind',
      () => editConfig((config) => (config['n_head'] = 'four')),
      'config.json: n_head: expected a positive whole number, got "four"',
    ],
    [
      'an unsupported family',
      () => editConfig((config) => (config['model_type'] = 'bert')),
      'expected model_type "gpt2", "gpt_neox", "gpt_neo", "llama", "qwen2", or a TransformerLens config with n_layers, got model_type "bert"',
    ],
    [
      'an unsupported feature',
      () => editConfig((config) => (config['scale_attn_by_inverse_layer_idx'] = true)),
      'scale_attn_by_inverse_layer_idx: expected false, got true',
    ],
    [
      'an unsupported activation',
      () => editConfig((config) => (config['activation_function'] = 'quick')),
      'activation_function: expected gelu_new',
    ],
    ['more layers than the file holds', () => editConfig((config) => (config['n_layer'] = 4)), 'tensor transformer.h.3.'],
    [
      'a tensor of the wrong shape',
      () => editConfig((config) => (config['vocab_size'] = 51)),
      'transformer.wte.weight: expected shape [51,32], got [50,32]',
    ],
    ['truncated weights', () => truncate(join(source, 'model.safetensors'), 100_000), 'truncated'],
    ['an empty weights file', () => truncate(join(source, 'model.safetensors'), 0), 'at least 8 bytes'],
    ['bytes after the last tensor', () => appendFile(join(source, 'model.safetensors'), 'x'), 'data bytes as its header says'],
    ['no weights', () => rm(join(source, 'model.safetensors')), 'model.safetensors or model.safetensors.index.json, got neither'],
    ['a broken tokenizer', () => writeFile(join(source, 'tokenizer.json'), '[]'), 'tokenizer.json'],
  ];
  test.each(cases)('%s: one line, and nothing is left', async (_, spoil, message) => {
    await spoil();
    const error = await importModel(home, source, 'tiny').catch((reason: unknown) => reason as Error);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).not.toContain('\n');
    expect(await imported()).toEqual([]);
    expect(await readdir(join(home, 'models')).catch(() => [])).toEqual([]);
  });

  test('shards named by an index are one model', async () => {
    const { config, tensors } = randomGpt2(
      { layers: 1, heads: 2, d: 8, vocabulary: 10, context: 6, prefix: '', tied: true, activation: 'relu' },
      1,
    );
    const folder = join(home, 'sharded');
    await mkdir(folder);
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    const parts = { 'a.safetensors': tensors.slice(0, 5), 'b.safetensors': tensors.slice(5) };
    for (const [file, part] of Object.entries(parts)) await writeFile(join(folder, file), safetensors(part));
    const weightMap = Object.fromEntries(Object.entries(parts).flatMap(([file, part]) => part.map(({ name }) => [name, file])));
    await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: weightMap }));
    expect(await importModel(home, folder)).toMatchObject({ name: 'sharded', layers: 1 });
  });
});

test('a model is deleted by its record, whatever its files have become', async () => {
  const { hash } = await importModel(home, source, 'tiny');
  await writeFile(join(home, 'models', 'tiny', 'tokenizer.json'), '[]');
  await expect(deleteModel(home, 'tiny', 'another')).rejects.toThrow('the model with sha256 another');
  await deleteModel(home, 'tiny', hash);
  expect(await readdir(join(home, 'models'))).toEqual([]);
});

test('the files of a hash are read once, and anew when they have changed', async () => {
  const { hash } = await importModel(home, source, 'asked-for');
  const first = await filesOfModel(home, hash);
  expect(first).toMatchObject({
    name: 'asked-for',
    files: expect.arrayContaining([expect.objectContaining({ name: 'config.json' })]) as object,
  });
  const parse = vi.spyOn(JSON, 'parse');
  expect(await filesOfModel(home, hash)).toEqual(first);
  expect(await filesOfModel(home, 'no hash')).toBeNull();
  expect(parse).not.toHaveBeenCalled();
  parse.mockRestore();
  await appendFile(join(home, 'models', 'asked-for', 'config.json'), ' ');
  expect(await filesOfModel(home, hash)).toBeNull();
});
