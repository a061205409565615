import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-web/wasm';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { AnalyzeRequest } from '../engine/index.ts';
import { openWebModel } from './web-model.ts';

/** A browser's engine with a dictionary that a server lists: its files come by hash, and the sums are exact. */

const FIXTURES = fileURLToPath(new URL('../../server/engine/fixtures/', import.meta.url));
const NAMES = ['cfg.json', 'sae_weights.safetensors'];
const files = new Map<string, Buffer>();
let hash = '';
let asked: string[] = [];
let spoilt = false;

beforeEach(async () => {
  const made = createHash('sha256');
  for (const name of NAMES) {
    const bytes = await readFile(join(FIXTURES, 'dictionaries', 'gpt2-skip2', name));
    files.set(name, bytes);
    made.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  hash = made.digest('hex');
  asked = [];
  spoilt = false;
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url);
    if (url === '/dictionaries') return Response.json([{ name: 'skip', hash }]);
    const name = url.split('/').at(-1)!;
    if (name === 'files.json') return Response.json({ hash, files: NAMES.map((file) => ({ name: file, bytes: files.get(file)!.length })) });
    const bytes = new Uint8Array(files.get(name)!);
    if (spoilt) bytes[bytes.length - 1]! ^= 1;
    return new Response(bytes);
  });
});
afterEach(() => vi.unstubAllGlobals());

const control = { progress() {}, async checkpoint() {} };
const REQUEST = {
  view: 'features',
  model: 'small',
  tokens: [3, 14, 15, 9, 2],
  paths: ['m1->m2->logits'],
  dictionaries: ['skip'],
} as AnalyzeRequest;

async function open(dictionaries: string | undefined) {
  ort.env.wasm.numThreads = 1;
  const model = new Map<string, Blob>();
  for (const name of ['config.json', 'model.safetensors']) model.set(name, new Blob([await readFile(join(FIXTURES, 'random-gpt2', name))]));
  return openWebModel(ort, 'wasm', { name: 'small', hash: 'h', files: model, dictionaries });
}

it('splits a path exactly, and asks for the files once', async () => {
  const hosted = await open('/dictionaries');
  const answer = await hosted.analyze(REQUEST, control);
  const mass = answer.terms.reduce((sum, { value }) => sum + Math.abs(value!), 0);
  expect(answer.error).toBeLessThan(1e-5 * mass);
  expect(answer.dictionaries).toMatchObject([{ name: 'skip', hash, kind: 'transcoder' }]);
  await hosted.analyze({ ...REQUEST, dictionaries: [hash] }, control);
  expect(asked.filter((url) => url.endsWith('.safetensors'))).toEqual([`/dictionaries/${hash}/sae_weights.safetensors`]);
  await hosted.model.close();
});

it('refuses files that are not those of the hash, a name that is not listed, and any where there are none', async () => {
  const hosted = await open('/dictionaries');
  await expect(hosted.analyze({ ...REQUEST, dictionaries: ['other'] }, control)).rejects.toThrow('dictionary: expected skip, got "other"');
  spoilt = true;
  await expect(hosted.analyze(REQUEST, control)).rejects.toThrow('model files: expected files with the hash');
  await hosted.model.close();
  const without = await open(undefined);
  await expect(without.analyze(REQUEST, control)).rejects.toThrow('dictionary: expected none: this engine has no dictionaries');
  await without.model.close();
});
