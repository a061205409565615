import { fileURLToPath } from 'node:url';
import { Model, type Control, type DictionaryStore, type ModelSpec } from '../../lib/engine/index.ts';
import { hashModel, readModelFolder } from './model-folder.ts';
import type { Runtime } from '../../lib/engine/runtime.ts';
import { createWebRuntime } from '../../lib/worker/web-runtime.ts';
import { createNodeRuntime } from './node-runtime.ts';
import { WeightFiles } from './weight-files.ts';

/** For tests and benchmarks: an engine without its worker thread. */

export const FIXTURES = fileURLToPath(new URL('./fixtures/', import.meta.url));

export const noControl: Control = { progress() {}, async checkpoint() {} };

/** With RUNTIME=wasm on the runtime that browsers have, so that one suite holds both to the same numbers. */
export async function loadModel(
  folder: string,
  threads = 1,
  dictionariesOf: (model: { spec: ModelSpec }) => DictionaryStore | null = () => null,
): Promise<Model> {
  const read = await readModelFolder(folder);
  return new Model(folder, await hashModel(read), read.spec, await runtimeOf(folder, threads), dictionariesOf(read));
}

export async function runtimeOf(folder: string, threads: number): Promise<Runtime> {
  return process.env['RUNTIME'] === 'wasm' ? wasmRuntime(folder) : createNodeRuntime(folder, { threads });
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
