import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Model } from '../../lib/engine/index.ts';
import { selfTest, type KnownNumbers } from '../../lib/worker/self-test.ts';
import { readModelFolder } from './model-folder.ts';
import type { WantedDevice } from './wanted-device.ts';
import { createNodeRuntime, type NodeProvider, type Precision } from './node-runtime.ts';

/** What this machine's engine computes with: CUDA where it is asked for and computes known numbers right, else the CPU. */

export interface ServerDevice {
  provider: NodeProvider;
  precision: Precision;
  /** largest difference from known numbers, as a share of the largest of their table; null where none were asked for */
  error: number | null;
  /** why it is not CUDA; null where it is */
  why: string | null;
  /** CUDA was asked for, or is set up, and is not what computes */
  fellBack: boolean;
  /** bytes of weights that the device has room for; null where sessions share them */
  room: number | null;
}

const SELF_TEST = fileURLToPath(new URL('../../public/self-test/', import.meta.url));
/** Of the card's free memory, for weights; the rest is for what runs. */
const SHARE = 0.6;
const CUDA_FILES = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];

/** Where onnxruntime-node looks for the libraries of its providers. */
export function providerFolder(): string {
  const main = createRequire(import.meta.url).resolve('onnxruntime-node');
  return join(dirname(main), '..', 'bin', 'napi-v6', process.platform, process.arch);
}

/** Never throws: what is wrong with CUDA is why it is the CPU. */
export async function chooseDevice({ device, precision }: WantedDevice, folder = providerFolder()): Promise<ServerDevice> {
  const onCpu = (why: string, fellBack: boolean): ServerDevice => ({
    provider: 'cpu',
    precision: 'float32',
    error: null,
    why,
    fellBack,
    room: null,
  });
  if (device === 'cpu') return onCpu('the CPU was asked for', false);
  const missing = CUDA_FILES.filter((file) => !existsSync(join(folder, file)));
  if (missing.length > 0)
    return onCpu(`no ${missing.join(', ')} beside onnxruntime-node (npm run setup:cuda fetches them)`, device === 'cuda');
  try {
    const error = await probe('cuda', precision);
    return { provider: 'cuda', precision, error, why: null, fellBack: false, room: roomOnCard() };
  } catch (cause) {
    return onCpu([cause instanceof Error ? cause.message : String(cause), missingLibraries(folder)].filter(Boolean).join('; '), true);
  }
}

/** What the provider needs and the system does not have: onnxruntime says no more than that it did not load. */
function missingLibraries(folder: string): string {
  const { stdout } = spawnSync('ldd', [join(folder, CUDA_FILES[1]!)], { encoding: 'utf8' });
  const missing = [...(stdout ?? '').matchAll(/^\s*(\S+) => not found/gm)].map(([, name]) => name);
  return missing.length === 0 ? '' : `not found on this machine: ${[...new Set(missing)].join(', ')}`;
}

/**
 * Asks a small model for numbers that are known. Gives the largest difference.
 * @throws EngineError where the provider does not load, does not run, or computes other numbers
 */
export async function probe(provider: NodeProvider, precision: Precision): Promise<number> {
  const folder = join(SELF_TEST, 'lens-mlp');
  const { spec } = await readModelFolder(folder);
  const known = JSON.parse(await readFile(join(folder, 'numbers.json'), 'utf8')) as KnownNumbers;
  const model = new Model('lens-mlp', '', spec, createNodeRuntime(folder, { threads: 1, provider, precision, weights: 'inside' }));
  try {
    return await selfTest(model, known);
  } finally {
    await model.close().catch(() => {});
  }
}

/** As the driver's own tool says it; where there is none, what a small card has. */
function roomOnCard(): number {
  const { stdout } = spawnSync('nvidia-smi', ['--query-gpu=memory.free', '--format=csv,noheader,nounits'], { encoding: 'utf8' });
  const mebibytes = Number.parseInt(stdout ?? '', 10);
  return SHARE * (Number.isFinite(mebibytes) ? mebibytes : 4096) * 1024 ** 2;
}
