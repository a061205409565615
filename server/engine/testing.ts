import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Model, headerLength, readHeader, type Control, type DictionaryStore, type ModelSpec } from '../../lib/engine/index.ts';
import { hashModel, readModelFolder } from './model-folder.ts';
import type { Runtime } from '../../lib/engine/runtime.ts';
import { createWebRuntime } from '../../lib/worker/web-runtime.ts';
import { createNodeRuntime } from './node-runtime.ts';
import type { RandomModel, RandomTensor } from './random-model.ts';
import { WeightFiles } from './weight-files.ts';

/** For tests and benchmarks: an engine without its worker thread. */

export const FIXTURES = fileURLToPath(new URL('./fixtures/', import.meta.url));

export const noControl: Control = { progress() {}, async checkpoint() {} };

export async function loadModel(
  folder: string,
  threads = 1,
  dictionariesOf: (model: { spec: ModelSpec }) => DictionaryStore | null = () => null,
): Promise<Model> {
  const read = await readModelFolder(folder);
  return new Model(folder, await hashModel(read), read.spec, await runtimeOf(folder, threads), dictionariesOf(read));
}

/**
 * What RUNTIME names, so that one suite holds all to the same numbers: cpu, cpu with weights inside the graphs (as on
 * CUDA), the same with products in float16, cuda, cuda-float16, wasm, webgpu.
 */
export async function runtimeOf(folder: string, threads = 1): Promise<Runtime> {
  const name = process.env['RUNTIME'] ?? 'cpu';
  switch (name) {
    case 'cpu':
      return createNodeRuntime(folder, { threads });
    case 'cpu-inside':
      return createNodeRuntime(folder, { threads, weights: 'inside' });
    case 'cpu-float16':
      return createNodeRuntime(folder, { threads, weights: 'inside', precision: 'float16' });
    case 'cuda':
    case 'cuda-float16':
      return createNodeRuntime(folder, { threads, provider: 'cuda', precision: name === 'cuda' ? 'float32' : 'float16' });
    case 'wasm':
      return wasmRuntime(folder);
    case 'webgpu':
      return (await import('./in-browser/runtime.ts')).createPageRuntime(folder);
    default:
      throw new Error(`RUNTIME: expected cpu, cpu-inside, cpu-float16, cuda, cuda-float16, wasm or webgpu, got ${name}`);
  }
}

async function wasmRuntime(folder: string): Promise<Runtime> {
  const ort = await import('onnxruntime-web/wasm');
  ort.env.wasm.numThreads = 1;
  const files = new WeightFiles(folder);
  return createWebRuntime(
    ort,
    { read: (stored) => files.read(JSON.stringify(stored), stored).then(({ data }) => data as Float32Array) },
    'wasm',
  );
}

/** A real model of float32 weights in one file, for what is written for random ones. */
export async function storedModel(folder: string): Promise<RandomModel> {
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
  return { config, tensors: await readTensors(folder, 'model.safetensors') };
}

/** Every tensor of a small safetensors file of float32. */
export async function readTensors(folder: string, file: string): Promise<RandomTensor[]> {
  const bytes = await readFile(join(folder, file));
  const length = headerLength(bytes, file, bytes.length);
  const table = readHeader(bytes.toString('utf8', 8, 8 + length), file, bytes.length, length);
  return [...table].map(([name, { shape, offset, length: size }]) => {
    const data = new Float32Array(bytes.buffer.slice(bytes.byteOffset + offset, bytes.byteOffset + offset + size));
    return { name, shape, data };
  });
}
