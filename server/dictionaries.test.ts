import { cp, mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { analyze, type Answer, type TokenRequest } from '../lib/engine/index.ts';
import {
  createDictionaryStore,
  deleteDictionary,
  dictionariesOfModel,
  filesOfDictionary,
  importDictionary,
  listDictionaries,
} from './dictionaries.ts';
import { safetensors, seeded, type RandomTensor } from './engine/random-model.ts';
import { FIXTURES, loadModel, noControl } from './engine/testing.ts';
import { importModel } from './model-import.ts';
import { openModelFolder } from './models.ts';

let home: string;
let source: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'pathboard-home-'));
  source = join(home, 'sparse');
  await cp(join(FIXTURES, 'dictionaries', 'gpt2-skip2'), source, { recursive: true });
  await importModel(home, join(FIXTURES, 'random-gpt2'), 'small');
});
afterEach(() => rm(home, { recursive: true }));

type Cfg = Record<string, unknown> & { metadata: Record<string, unknown> };
const editCfg = async (change: (cfg: Cfg) => void) => {
  const cfg = JSON.parse(await readFile(join(source, 'cfg.json'), 'utf8')) as Cfg;
  change(cfg);
  await writeFile(join(source, 'cfg.json'), JSON.stringify(cfg));
};
const draw = (name: string, shape: number[], seed: number): RandomTensor => {
  const random = seeded(seed);
  return { name, shape, data: Float32Array.from({ length: shape.reduce((product, dim) => product * dim, 1) }, () => random() - 0.5) };
};
const TENSORS = [draw('W_enc', [32, 40], 1), draw('b_enc', [40], 2), draw('W_dec', [40, 32], 3), draw('b_dec', [32], 4)];
const writeTensors = (tensors: RandomTensor[]) => writeFile(join(source, 'sae_weights.safetensors'), safetensors(tensors));
const importIt = (name = 'skip') => importDictionary(home, source, { model: 'small', name });

describe('import', () => {
  test('copies, records its model, and is the same again', async () => {
    const made = await importIt();
    expect(made).toMatchObject({
      name: 'skip',
      modelName: 'small',
      kind: 'transcoder',
      layer: 2,
      width: 40,
      activation: 'relu',
      builtIn: false,
    });
    expect(made.model).toBe((await openModelFolder(home, 'small')).hash);
    expect(await importIt()).toEqual(made);
    expect(await dictionariesOfModel(home, 'small')).toEqual([made]);
    expect((await listDictionaries(home)).filter(({ builtIn }) => !builtIn)).toEqual([made]);
    expect((await filesOfDictionary(home, made.hash))?.files.map(({ name }) => name)).toEqual(['cfg.json', 'sae_weights.safetensors']);
    await editCfg((cfg) => (cfg.metadata['note'] = 'other'));
    await expect(importIt()).rejects.toThrow('name: expected a name that no other dictionary has');
    expect((await readdir(join(home, 'dictionaries'))).toSorted()).toEqual(['skip']);
  });

  test('is of that model alone, and gone when it is deleted', async () => {
    await importModel(home, join(FIXTURES, 'random-llama'), 'other');
    const { hash } = await importIt();
    expect(await dictionariesOfModel(home, 'other')).toEqual([]);
    const small = await openModelFolder(home, 'small');
    const store = createDictionaryStore(home, { ...small, name: 'small' }, { threads: 1 });
    expect((await store.open('skip')).hash).toBe(hash);
    expect(await store.open(hash)).toBe(await store.open('skip'));
    await expect(store.open('nothing')).rejects.toThrow('dictionary: expected skip, got "nothing"');
    expect(await deleteDictionary(home, 'skip')).toEqual({ name: 'skip', hash });
    await expect(store.open('skip')).rejects.toThrow('dictionary: expected an imported dictionary of this model');
    await expect(deleteDictionary(home, 'skip')).rejects.toThrow('dictionary: expected an imported dictionary, got "skip"');
    await store.close();
  });

  const BROKEN: [string, () => Promise<unknown>, string | RegExp][] = [
    ['no cfg.json', () => rm(join(source, 'cfg.json')), /cfg.json: expected a readable file, got no such file/],
    ['text that is no JSON', () => writeFile(join(source, 'cfg.json'), '{'), /cfg.json: expected JSON/],
    ['a list', () => writeFile(join(source, 'cfg.json'), '[]'), 'cfg.json: expected a JSON object, got []'],
    ['no weights', () => rm(join(source, 'sae_weights.safetensors')), 'expected sae_weights.safetensors, got no such file'],
    [
      'a pickle',
      async () => {
        await rm(join(source, 'sae_weights.safetensors'));
        await writeFile(join(source, 'sae.pt'), 'x');
      },
      'got "sae.pt", which is not opened: it could hold a program',
    ],
    ['a cut file', () => truncate(join(source, 'sae_weights.safetensors'), 4000), /truncated or out of range/],
    ['another width', () => editCfg((cfg) => (cfg['d_in'] = 64)), "cfg.json: d_in: expected 32, the model's width, got 64"],
    ['another output', () => editCfg((cfg) => (cfg['d_out'] = 64)), 'cfg.json: d_out: expected 32, as d_in, got 64'],
    ['another number of features', () => editCfg((cfg) => (cfg['d_sae'] = 41)), 'tensor W_enc: expected shape [32,41], got [32,40]'],
    [
      'an architecture that is not known',
      () => editCfg((cfg) => (cfg['architecture'] = 'gated')),
      /cfg.json: architecture: expected standard, .*got "gated"/,
    ],
    ['a skip', () => editCfg((cfg) => (cfg['architecture'] = 'skip_transcoder')), /cfg.json: architecture: .*got "skip_transcoder"/],
    [
      'a hook of heads',
      () => editCfg(({ metadata }) => (metadata['hook_name'] = 'blocks.2.attn.hook_z')),
      /cfg.json: hook_name: expected blocks.L.hook_resid_pre.*got "blocks.2.attn.hook_z"/,
    ],
    ['no hook', () => editCfg(({ metadata }) => delete metadata['hook_name']), /cfg.json: hook_name: .*got nothing/],
    [
      'a layer too high',
      () => editCfg(({ metadata }) => (metadata['hook_name'] = 'blocks.3.ln2.hook_normalized')),
      'cfg.json: hook_name: expected a layer below 3',
    ],
    [
      'a transcoder across layers',
      () => editCfg(({ metadata }) => (metadata['hook_name_out'] = 'blocks.1.hook_mlp_out')),
      /hook_name_out: expected blocks.2.hook_mlp_out/,
    ],
    [
      'a transcoder of another stream',
      () => editCfg(({ metadata }) => (metadata['hook_name'] = 'blocks.2.hook_resid_post')),
      /hook_name: expected what the MLP of its layer reads/,
    ],
    [
      'normalized activations',
      () => editCfg((cfg) => (cfg['normalize_activations'] = 'layer_norm')),
      'cfg.json: normalize_activations: expected "none" or false, got "layer_norm"',
    ],
    ['another activation', () => editCfg((cfg) => (cfg['activation_fn'] = 'tanh-relu')), /cfg.json: activation_fn: expected "relu"/],
    [
      'a folded norm',
      () => editCfg(({ metadata }) => (metadata['model_from_pretrained_kwargs'] = { fold_ln: true })),
      /fold_ln: expected a norm with its own γ and β/,
    ],
    [
      'a point that has two meanings',
      () => editCfg(({ metadata }) => (metadata['model_class_name'] = 'TransformerBridge')),
      /hook_name: expected blocks.2.mlp.hook_in of a TransformerBridge/,
    ],
    ['a missing tensor', () => writeTensors(TENSORS.slice(1)), 'tensor W_enc: expected shape [32,40], got no such tensor'],
    ['a tensor too many', () => writeTensors([...TENSORS, draw('W_gate', [32, 40], 5)]), 'tensor W_gate: expected only tensors'],
    [
      'numbers that are none',
      () => writeTensors([{ ...TENSORS[0]!, data: TENSORS[0]!.data.map((x, i) => (i === 7 ? Number.NaN : x)) }, ...TENSORS.slice(1)]),
      'tensor W_enc: expected finite numbers, got NaN at 7',
    ],
    [
      'a scale that is not 1',
      () => writeTensors([...TENSORS, { ...draw('scaling_factor', [40], 6) }]),
      /tensor scaling_factor: expected ones/,
    ],
  ];
  test.each(BROKEN)('refuses %s', async (_, spoil, message) => {
    await spoil();
    await expect(importIt()).rejects.toThrow(message);
    expect(await dictionariesOfModel(home, 'small')).toEqual([]);
    expect(await readdir(join(home, 'dictionaries')).catch(() => [])).toEqual([]);
  });

  test('refuses a TopK without k, a name that is none, and a model that is not there', async () => {
    await cp(join(FIXTURES, 'dictionaries', 'gpt2-mid1'), source, { recursive: true });
    await editCfg((cfg) => (cfg['k'] = 41));
    await expect(importIt()).rejects.toThrow('cfg.json: k: expected from 1 to 40, got 41');
    await expect(importIt('../x')).rejects.toThrow('name: expected letters, digits, dot');
    await expect(importDictionary(home, source, { model: 'nobody' })).rejects.toThrow('model: expected');
    await expect(importDictionary(home, join(home, 'nowhere'), { model: 'small' })).rejects.toThrow('expected a directory with cfg.json');
  });
});

describe('a request', () => {
  const ask = async (request: Partial<TokenRequest> & Pick<TokenRequest, 'view'>): Promise<Answer> => {
    const small = await openModelFolder(home, 'small');
    const model = await loadModel(small.folder, 1, () => createDictionaryStore(home, { ...small, name: 'small' }, { threads: 1 }));
    try {
      return await analyze(
        model,
        { model: 'small', ...(request.view === 'feature-tokens' ? {} : { tokens: [3, 14, 15, 9, 2] }), ...request } as TokenRequest,
        noControl,
      );
    } finally {
      await model.close();
    }
  };

  beforeEach(async () => {
    await importIt();
    await importDictionary(home, join(FIXTURES, 'dictionaries', 'gpt2-resid2'), { model: 'small', name: 'resid' });
    await importDictionary(home, join(FIXTURES, 'dictionaries', 'gpt2-mlp1'), { model: 'small', name: 'mlp' });
  });

  const FAULTS: [string, Partial<TokenRequest> & Pick<TokenRequest, 'view'>, string | RegExp][] = [
    ['no dictionary', { view: 'features' }, 'dictionary: expected one dictionary, got 0'],
    [
      'two of a layer',
      { view: 'features', dictionaries: ['skip', 'resid'] },
      /expected one dictionary of layer 2, whose features are f2, got two/,
    ],
    ['one inside another', { view: 'features', dictionaries: ['mlp', 'resid'] }, /places that do not contain each other, got mlp/],
    ['another view', { view: 'direct', dictionaries: ['skip'] }, /dictionary: expected none, since direct takes/],
    [
      'a path elsewhere',
      { view: 'features', dictionaries: ['skip'], paths: ['a0.h0->m1->logits'] },
      /one through m2, whose output blocks.2/,
    ],
    [
      'a path that starts behind',
      { view: 'features', dictionaries: ['resid'], paths: ['a2.b->m2->logits'] },
      /one that crosses the stream at blocks.2.hook_resid_pre/,
    ],
    ['a query slot', { view: 'features', dictionaries: ['skip'], paths: ['input->a1.h0<q>->m2->logits'] }, /q and k are held fixed/],
    [
      'a feature beyond the last',
      { view: 'features', dictionaries: ['skip'], nodes: ['f2.40'] },
      'nodes: expected a feature of f2, from 0 to 39, got f2.40',
    ],
    [
      'a feature of another layer',
      { view: 'feature-ablate', dictionaries: ['skip'], ablate: ['f1.4'] },
      'ablate: expected a feature of f2',
    ],
    ['the error ablated', { view: 'feature-ablate', dictionaries: ['skip'], ablate: ['f2.error'] }, 'ablate: expected a feature of f2'],
    ['nothing to ablate', { view: 'feature-ablate', dictionaries: ['skip'] }, 'ablate: expected at least one feature'],
    [
      'a position beyond the prompt',
      { view: 'feature-edges', dictionaries: ['skip'], nodes: ['f2.4@5'] },
      'nodes: expected a position from 0 to 4',
    ],
    [
      'a later writer',
      { view: 'feature-edges', dictionaries: ['skip', 'mlp'], nodes: ['f1.4'] },
      /expected one before blocks.1.hook_mlp_out, got skip/,
    ],
    ['no feature whose tokens are wanted', { view: 'feature-tokens', dictionaries: ['skip'] }, 'nodes: expected from 1 to 64 features'],
  ];
  test.each(FAULTS)('with %s is refused', async (_, request, message) => {
    await expect(ask(request)).rejects.toThrow(message);
  });

  test('of several dictionaries at once still sums to the metric', async () => {
    const answer = await ask({ view: 'features', dictionaries: ['mlp', 'skip'], top: 1000 });
    expect(answer.error).toBeLessThan(1e-5 * answer.terms.reduce((sum, { value }) => sum + Math.abs(value!), 0));
    expect(answer.terms.map(({ name }) => name)).toEqual(expect.arrayContaining(['f1.error', 'f2.error', 'f1.b', 'f2.b', 'm0', 'a2.h3']));
    expect(answer.terms.map(({ name }) => name)).not.toContain('m1');
  });
});
