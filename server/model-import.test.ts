import { execFileSync } from 'node:child_process';
import { cp, link, mkdir, mkdtemp, readFile, readdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FIXTURES } from './engine/testing.ts';
import { importModel, modelLimits } from './model-import.ts';

/** Folders as somebody might make them who wants more than to have a model imported. */

const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const SECRET = 'not for the one who made the folder';

let home: string;
let source: string;
let secret: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'pathboard-home-'));
  source = join(home, 'source');
  secret = join(home, 'secret');
  await cp(join(FIXTURES, 'random-gpt2'), source, { recursive: true });
  await writeFile(secret, SECRET);
});
afterEach(() => rm(home, { recursive: true }));

const here = (file: string) => join(source, file);
const linked = async (file: string, target: string) => {
  await rm(here(file), { force: true });
  await symlink(target, here(file));
};
const indexed = async (files: unknown) => {
  await rename(here(WEIGHTS), here('a.safetensors'));
  await writeFile(here(INDEX), JSON.stringify({ weight_map: files }));
};
const header = async (text: string, length = BigInt(text.length)) => {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(length);
  await writeFile(here(WEIGHTS), Buffer.concat([prefix, Buffer.from(text)]));
};
const tensor = (from: number, to: number) => JSON.stringify({ a: { dtype: 'F32', shape: [1], data_offsets: [from, to] } });

describe('a folder that reaches outside itself is refused, and nothing is kept', () => {
  const cases: [string, () => Promise<unknown>, string][] = [
    ['a config elsewhere', () => linked('config.json', secret), 'config.json: expected a file in the folder itself, got a link to'],
    ['a tokenizer elsewhere', () => linked('tokenizer.json', secret), 'tokenizer.json: expected a file in the folder itself'],
    ['weights elsewhere', () => linked(WEIGHTS, '../secret'), 'model.safetensors: expected a file in the folder itself'],
    ['an example elsewhere', () => linked('example.json', secret), 'example.json: expected a file in the folder itself'],
    [
      'a link to a folder on the way',
      () => linked('config.json', '/proc/self/environ'),
      'config.json: expected a file in the folder itself',
    ],
    ['a link in a circle', () => linked('config.json', 'config.json'), 'expected one that leads somewhere'],
    ['a link to nowhere', () => linked('config.json', 'nowhere'), 'got no such file'],
    ['a folder for a file', () => linked('tokenizer.json', '.'), 'tokenizer.json: expected'],
    ['shards above it', () => indexed({ a: '../../etc/passwd' }), 'expected plain names of safetensors files, got "../../etc/passwd"'],
    ['shards at the root', () => indexed({ a: '/etc/passwd' }), 'expected plain names of safetensors files, got "/etc/passwd"'],
    ['the folder above as a shard', () => indexed({ a: '..' }), 'expected plain names of safetensors files, got ".."'],
    ['shards in folders', () => indexed({ a: 'b/a.safetensors' }), 'expected plain names of safetensors files'],
    ['shards of Windows', () => indexed({ a: '..\\a.safetensors' }), 'expected plain names of safetensors files'],
    ['a shard that is hidden', () => indexed({ a: '.safetensors' }), 'expected plain names of safetensors files'],
    ['a shard that is no name', () => indexed({ a: 5 }), 'expected plain names of safetensors files, got 5'],
    ['a pickle for a shard', () => indexed({ a: 'pytorch_model.bin' }), 'expected plain names of safetensors files'],
    ['an index that is nothing', () => indexed(null), 'expected plain names of safetensors files, got null'],
  ];
  test.each(cases)('%s', async (_, spoil, message) => {
    await spoil();
    const error = await importModel(home, source, 'tiny').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).not.toContain(SECRET);
    expect(await readdir(join(home, 'models')).catch(() => [])).toEqual([]);
  });

  test('a pipe, which would be read for ever', async () => {
    await rm(here('config.json'));
    execFileSync('mkfifo', [here('config.json')]);
    await expect(importModel(home, source, 'tiny')).rejects.toThrow('config.json: expected a plain file, got a device or a pipe');
  });

  test('the cache of Hugging Face, whose files are links to the folder beside it, is read, and copied as files', async () => {
    const repository = join(home, 'models--a--b');
    const snapshot = join(repository, 'snapshots', 'c0ffee');
    const blobs = join(repository, 'blobs');
    await mkdir(snapshot, { recursive: true });
    await mkdir(blobs);
    for (const file of ['config.json', WEIGHTS]) {
      await cp(here(file), join(blobs, `blob-of-${file}`));
      await symlink(`../../blobs/blob-of-${file}`, join(snapshot, file));
    }
    expect(await importModel(home, snapshot, 'cached')).toMatchObject({ name: 'cached', layers: 3 });
    expect(await readFile(join(home, 'models', 'cached', 'config.json'))).toEqual(await readFile(here('config.json')));
    await symlink('../../../secret', join(snapshot, 'tokenizer.json'));
    await expect(importModel(home, snapshot, 'other')).rejects.toThrow('tokenizer.json: expected a file in the folder itself');
  });
});

describe('a folder that is too much is refused', () => {
  const cases: [string, () => Promise<unknown>, string][] = [
    ['a config of a gigabyte', () => truncate(here('config.json'), 1e9), 'config.json: expected at most 10000000 bytes, got 1000000000'],
    [
      'a tokenizer of a gigabyte',
      () => writeFile(here('tokenizer.json'), '').then(() => truncate(here('tokenizer.json'), 1e9)),
      'tokenizer.json: expected at most 200000000 bytes',
    ],
    ['an index of a gigabyte', () => indexed({}).then(() => truncate(here(INDEX), 1e9)), 'expected at most 100000000 bytes'],
    [
      'weights beyond the limit',
      () => truncate(here(WEIGHTS), 51e9),
      'source: expected at most 50000000000 bytes of weights, got 51000000000',
    ],
    [
      'more shards than anybody has',
      () => indexed(Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`t${i}`, `s${i}.safetensors`]))),
      'expected at most 1000 files, got 1001',
    ],
    [
      'a header of 2 GB',
      async () => {
        await header('{}', 2_000_000_000n);
        await truncate(here(WEIGHTS), 3e9);
      },
      'header length: expected 2 to 100000000 bytes, got 2000000000',
    ],
    ['a header of 2^64 bytes', () => header('{}', 2n ** 64n - 1n), 'header length: expected 2 to 2 bytes'],
    ['a tensor behind the end', () => header(tensor(0, 4)), 'truncated or out of range'],
    ['a tensor before the beginning', () => header(tensor(-4, 0)), 'data_offsets [from, to]'],
    ['offsets beyond 2^53', () => header(tensor(0, 2 ** 60)), 'data_offsets [from, to]'],
    [
      'a shape that overflows',
      () => header(JSON.stringify({ a: { dtype: 'F32', shape: [2 ** 40, 2 ** 40], data_offsets: [0, 0] } })),
      'bytes for shape',
    ],
    ['a header that is a list', () => header('[]'), 'expected a JSON object'],
  ];
  test.each(cases)('%s', async (_, spoil, message) => {
    await spoil();
    const error = await importModel(home, source, 'tiny').catch((reason: unknown) => reason);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message.length).toBeLessThan(600);
    expect(await readdir(join(home, 'models')).catch(() => [])).toEqual([]);
  });

  test('MODEL_LIMIT_GB is the limit, and must be a number', async () => {
    await expect(importModel(home, source, 'tiny', modelLimits({ MODEL_LIMIT_GB: '0.00001' }))).rejects.toThrow(
      'expected at most 10000 bytes of weights',
    );
    expect(modelLimits({})).toEqual({ bytes: 50e9 });
    for (const wrong of ['lots', '0', '-1', '1e9', ' '])
      expect(() => modelLimits({ MODEL_LIMIT_GB: wrong })).toThrow('MODEL_LIMIT_GB: expected a number above 0');
  });
});

describe('pickles', () => {
  test('are refused by name, and not opened', async () => {
    await rm(here(WEIGHTS));
    await linked('pytorch_model.bin', secret);
    await expect(importModel(home, source, 'tiny')).rejects.toThrow(
      'expected model.safetensors or model.safetensors.index.json, got "pytorch_model.bin", which is not opened: it could hold a program',
    );
  });

  test('beside safetensors are left where they are', async () => {
    await writeFile(here('pytorch_model.bin'), 'x');
    await importModel(home, source, 'tiny');
    expect((await readdir(join(home, 'models', 'tiny'))).sort()).toEqual(['config.json', WEIGHTS, 'pathboard.json']);
  });
});

test('a file with two names is copied, so that changing the one changes nothing', async () => {
  await rm(here(WEIGHTS));
  await link(join(FIXTURES, 'random-gpt2', WEIGHTS), here(WEIGHTS)).catch(() => cp(join(FIXTURES, 'random-gpt2', WEIGHTS), here(WEIGHTS)));
  const { hash } = await importModel(home, source, 'tiny');
  await rm(source, { recursive: true });
  expect((await importModel(home, join(FIXTURES, 'random-gpt2'), 'tiny')).hash).toBe(hash);
});
