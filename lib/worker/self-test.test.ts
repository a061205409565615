import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { selfTest, type KnownNumbers } from './self-test.ts';
import { openWebModel } from './web-model.ts';
import type { Ort } from './web-runtime.ts';

const NAMES = ['lens-mlp', 'lens-gated'];
const served = (path: string) => readFile(fileURLToPath(new URL(`../../public/self-test/${path}`, import.meta.url)));
const fixture = (path: string) => readFile(fileURLToPath(new URL(`../../server/engine/fixtures/${path}`, import.meta.url)));

let ort: Ort;
beforeAll(async () => {
  ort = await import('onnxruntime-web/wasm');
  ort.env.wasm.numThreads = 1;
});

async function open(name: string, change: (weights: Buffer) => void = () => {}) {
  const weights = await served(`${name}/model.safetensors`);
  change(weights);
  const files = new Map([
    ['config.json', new Blob([await served(`${name}/config.json`)])],
    ['model.safetensors', new Blob([new Uint8Array(weights)])],
  ]);
  const known = JSON.parse((await served(`${name}/numbers.json`)).toString()) as KnownNumbers;
  return { hosted: await openWebModel(ort, 'wasm', { name, hash: '', files }), known };
}

describe.each(NAMES)('the self-test on %s', (name) => {
  it('passes where the numbers come out', async () => {
    const { hosted, known } = await open(name);
    const error = await selfTest(hosted.model, known);
    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThan(1e-5);
    await hosted.model.close();
  });

  it('fails where a device computes with wrong weights', async () => {
    const { hosted, known } = await open(name, (weights) => {
      for (let back = 400; back < weights.length / 2; back += 2000) weights.writeFloatLE(9, weights.length - back);
    });
    await expect(selfTest(hosted.model, known)).rejects.toThrow(/self-test: .*: expected known numbers to 0.0001 of the largest/);
    await hosted.model.close();
  });

  it('is on the numbers that the engine is tested with', async () => {
    expect(await served(`${name}/model.safetensors`)).toEqual(await fixture(`random-${name}/model.safetensors`));
    const golden = JSON.parse((await fixture(`goldens/random-${name}.json`)).toString()) as KnownNumbers;
    const { known } = await open(name);
    for (const key of Object.keys(known) as (keyof KnownNumbers)[]) expect(known[key], key).toEqual(golden[key]);
  });
});

it('does not take a NaN for right', async () => {
  const { hosted, known } = await open('lens-mlp', (weights) => weights.writeFloatLE(Number.NaN, weights.length - 400));
  await expect(selfTest(hosted.model, known)).rejects.toThrow('expected finite logits');
  await hosted.model.close();
});
