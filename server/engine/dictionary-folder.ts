import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { EngineError, readDictionary, type DictionarySpec, type ModelSpec } from '../../lib/engine/index.ts';
import { PICKLES, parseJson, readNeeded, readTensors } from './model-folder.ts';
import { findPlainFile } from './plain-file.ts';
import { WeightFiles } from './weight-files.ts';

const WEIGHTS = 'sae_weights.safetensors';
/** What makes a dictionary what it is. */
export const DICTIONARY_FILES: readonly string[] = ['cfg.json', WEIGHTS];

/** A directory in SAELens' layout, read as far as its headers: proven to fit the model. */
export interface DictionaryFolder {
  folder: string;
  spec: DictionarySpec;
  /** of the weights */
  bytes: number;
}

/** @throws EngineError naming the file, field or tensor that is missing or wrong */
export async function readDictionaryFolder(folder: string, model: ModelSpec, limit = Infinity): Promise<DictionaryFolder> {
  const cfg = parseJson(await readNeeded(folder, 'cfg.json'), 'cfg.json');
  const weights = await findPlainFile(folder, WEIGHTS);
  if (!weights) throw await noWeights(folder);
  if (weights.size > limit) throw new EngineError('bad-weights', WEIGHTS, `at most ${limit} bytes`, `${weights.size}`);
  const { table, size } = await readTensors(folder, WEIGHTS);
  return { folder, spec: readDictionary(cfg, table, model), bytes: size };
}

async function noWeights(folder: string): Promise<EngineError> {
  const pickle = (await readdir(folder)).find((file) => PICKLES.test(file));
  const got = pickle ? `${JSON.stringify(pickle)}, which is not opened: it could hold a program` : 'no such file';
  return new EngineError('bad-weights', basename(folder), WEIGHTS, got);
}

/**
 * Reads every number once.
 * @throws EngineError `bad-weights` where one is not finite, or a scale is not 1 that the graphs do not apply
 */
export async function checkNumbers({ folder, spec }: DictionaryFolder): Promise<void> {
  const files = new WeightFiles(folder);
  for (const weight of Object.values(spec.weights)) {
    if (!weight) continue;
    const { data } = await files.read(weight.name, weight.stored);
    const broken = (data as Float32Array).findIndex((value) => !Number.isFinite(value));
    if (broken >= 0) throw new EngineError('bad-weights', `tensor ${weight.name}`, 'finite numbers', `${data[broken]} at ${broken}`);
  }
  const { table } = await readTensors(folder, WEIGHTS);
  const scale = table.get('scaling_factor');
  if (!scale) return;
  const { data } = await files.read('scaling_factor', scale);
  const other = (data as Float32Array).find((value) => Math.abs(value - 1) > 1e-6);
  if (other !== undefined) throw new EngineError('unsupported', 'tensor scaling_factor', 'ones', String(other));
}
