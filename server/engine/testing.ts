import { fileURLToPath } from 'node:url';
import { Model, type Control } from '../../lib/engine/index.ts';
import { hashModel, readModelFolder } from './model-folder.ts';
import { createNodeRuntime } from './node-runtime.ts';

/** For tests and benchmarks: an engine without its worker thread. */

export const FIXTURES = fileURLToPath(new URL('./fixtures/', import.meta.url));

export const noControl: Control = { progress() {}, async checkpoint() {} };

export async function loadModel(folder: string, threads = 1): Promise<Model> {
  const read = await readModelFolder(folder);
  return new Model(folder, await hashModel(read), read.spec, createNodeRuntime(folder, { threads }));
}
