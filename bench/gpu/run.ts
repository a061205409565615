import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ENGINE_VERSION, Model, analyze, isEngineError, type TokenRequest } from '../../lib/engine/index.ts';
import { everyEdge } from '../../lib/engine/edge-runs.ts';
import { lineOfDevice } from '../../server/engine/device-line.ts';
import { chooseDevice, type ServerDevice } from '../../server/engine/device.ts';
import { readModelFolder } from '../../server/engine/model-folder.ts';
import { createNodeRuntime } from '../../server/engine/node-runtime.ts';
import { noControl } from '../../server/engine/testing.ts';
import { PRECISIONS, choiceOf, refuseTf32 } from '../../server/engine/wanted-device.ts';
import { countFlops } from '../flops.ts';
import { SEED, drawPaths, drawTokens, fresh, gpt2SmallFolder } from '../gpt2-small.ts';
import { describeMachine, time } from '../machine.ts';
import { matrixCeiling, memoryCeiling, type Load } from './ceilings.ts';
import { llamaFolder } from './llama.ts';

/**
 * Times the engine on CUDA: `npm run bench:gpu [-- --precision float16] [--json] [--verify]`. On the CPU, with small
 * shapes, to try this script out: `-- --device cpu --quick`.
 */

const { values } = parseArgs({
  options: {
    device: { type: 'string', default: 'cuda' },
    precision: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    verify: { type: 'boolean', default: false },
    tokens: { type: 'string' },
    /** one number, for the process that measures with TF32 */
    ceiling: { type: 'boolean', default: false },
  },
});

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LOAD: Load = values.quick ? { rows: 256, elements: 1 << 20, repeats: 3 } : { rows: 8192, elements: 1 << 28, repeats: 7 };
const COUNTS = values.quick ? { paths: 10, effects: 20 } : { paths: 1000, effects: 10_000 };
const LENGTH = Number(values.tokens ?? (values.quick ? 8 : 64));

interface Row {
  work: string;
  ms: number;
  ofMatrix: number | null;
  ofMemory: number | null;
}

async function chooseOrEnd(): Promise<ServerDevice> {
  const device = choiceOf('--device', values.device, ['cuda', 'cpu']);
  const precision = choiceOf('--precision', values.precision, PRECISIONS);
  if (device === 'cpu') return { provider: 'cpu', precision, error: null, why: 'the CPU was asked for', fellBack: false, room: null };
  const chosen = await chooseDevice({ device, precision });
  if (chosen.provider === 'cuda') return chosen;
  throw new Error(
    `CUDA: expected a card that computes known numbers right, got none (${chosen.why}); --device cpu --quick tries the script out`,
  );
}

/** In a process of its own: the library reads the variable once. */
function tf32Ceiling(): number | null {
  const { stdout } = spawnSync(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url), '--ceiling'], {
    cwd: ROOT,
    env: { ...process.env, NVIDIA_TF32_OVERRIDE: '1' },
    encoding: 'utf8',
  });
  const found = Number.parseFloat(stdout ?? '');
  return Number.isFinite(found) ? found : null;
}

async function openModel(folder: string, { provider, precision, room }: ServerDevice): Promise<Model> {
  const { spec } = await readModelFolder(folder);
  const options = { threads: availableParallelism(), provider, precision, ...(room !== null && { room }) };
  return new Model(folder, '', spec, createNodeRuntime(folder, options));
}

async function measure(model: Model, bytes: number, matrix: number, memory: number): Promise<Row[]> {
  const { spec } = model;
  const tokens = drawTokens(spec.vocabulary, LENGTH, SEED);
  const counterfactualTokens = drawTokens(spec.vocabulary, LENGTH, SEED + 1);
  const request = { model: 'bench', tokens, counterfactualTokens, target: 1, foil: 2 };
  const ask = (view: Partial<TokenRequest> & Pick<TokenRequest, 'view'>) => analyze(model, { ...request, ...view }, noControl);
  const rows: Row[] = [];
  const add = async (work: string, times: number, run: () => Promise<unknown>, read: number | null = null) => {
    const gflops = (await countFlops(model, run)) / 1e9;
    const { median: ms } = await time(times, run);
    rows.push({
      work,
      ms,
      ofMatrix: gflops === 0 ? null : gflops / (ms / 1000) / matrix,
      ofMemory: read === null ? null : read / (ms * 1e6) / memory,
    });
  };
  await add('forward, logits of the last token', 5, () => model.logits([fresh(spec.vocabulary, tokens)]), bytes);
  await model.clean(counterfactualTokens);
  await model.clean(tokens);
  await add('degree spectrum', 3, () => ask({ view: 'degrees' }));
  await add(`top ${COUNTS.paths.toLocaleString('en')} paths`, 1, () => ask({ view: 'paths', top: COUNTS.paths }));
  const paths = drawPaths(spec, COUNTS.effects, SEED);
  await add(`${COUNTS.effects.toLocaleString('en')} path effects`, 1, () => ask({ view: 'path-effect', paths }));
  await add(`EAP on all ${everyEdge(spec).length.toLocaleString('en')} edges`, 1, () => ask({ view: 'attribution' }));
  return rows;
}

async function main(): Promise<void> {
  if (values.ceiling) return void process.stdout.write(`${await matrixCeiling('cuda', 'float32', LOAD)}\n`);
  refuseTf32();
  const device = await chooseOrEnd();
  const { provider, precision } = device;
  const ceilings = {
    float32: await matrixCeiling(provider, 'float32', LOAD),
    float16: await matrixCeiling(provider, provider === 'cpu' ? 'rounded-to-float16' : 'float16', LOAD),
    tf32: provider === 'cuda' ? tf32Ceiling() : null,
    memory: await memoryCeiling(provider, LOAD),
  };
  const quick = { layers: 2, heads: 4, d: 64, dMlp: 172, vocabulary: 500 };
  const large = { layers: 24, heads: 32, d: 2048, dMlp: 5504, vocabulary: 32_000 };
  const shapes = [
    ...(values.quick ? [] : [{ name: 'GPT-2 small, 124 million', folder: await gpt2SmallFolder() }]),
    values.quick
      ? { name: 'Llama, two small layers', folder: await llamaFolder('llama-quick', quick) }
      : { name: 'Llama, 1.3 billion', folder: await llamaFolder('llama-1.3b', large) },
  ];
  const tables = [];
  for (const { name, folder } of shapes) {
    const model = await openModel(folder, device);
    const { bytes } = await readModelFolder(folder);
    tables.push({ name, rows: await measure(model, bytes, ceilings[precision], ceilings.memory) });
    await model.close();
  }
  const machine = await describeMachine();
  if (values.json) console.log(JSON.stringify({ machine, engineVersion: ENGINE_VERSION, device, tokens: LENGTH, ceilings, tables }));
  else {
    console.log(`${machine.cpu}, ${machine.os}, Node ${machine.node}, onnxruntime-node ${machine.onnxruntime}, engine ${ENGINE_VERSION}`);
    console.log(`engine: ${lineOfDevice(device)}; ${LENGTH} tokens, random weights (seed ${SEED})`);
    const tera = (gflops: number | null) => (gflops === null ? 'none' : (gflops / 1000).toFixed(2));
    console.log(
      `ceilings through onnxruntime: matrices ${tera(ceilings.float32)} TFLOP/s in float32, ${tera(ceilings.float16)} in float16, ${tera(ceilings.tf32)} in TF32; memory ${ceilings.memory.toFixed(1)} GB/s`,
    );
    for (const { name, rows } of tables) {
      console.log(`\n${name.padEnd(42)}${'ms'.padStart(11)}${'of matrices'.padStart(13)}${'of memory'.padStart(11)}`);
      const share = (value: number | null) => (value === null ? '' : `${(100 * value).toFixed(1)}%`);
      for (const { work, ms, ofMatrix, ofMemory } of rows) {
        console.log(`${work.padEnd(42)}${ms.toFixed(1).padStart(11)}${share(ofMatrix).padStart(13)}${share(ofMemory).padStart(11)}`);
      }
    }
  }
  if (!values.verify) return;
  // The contract and every golden table, by this runtime.
  const env = { ...process.env, ...(provider === 'cuda' ? { CUDA: '1' } : { RUNTIME: 'cpu-inside' }) };
  const project = provider === 'cuda' ? ['--project', 'cuda'] : ['--project', 'node', 'server/engine/runtime-contract.test.ts'];
  process.exitCode = spawnSync('npx', ['vitest', 'run', ...project], { cwd: ROOT, env, stdio: 'inherit' }).status ?? 1;
}

await main().catch((error: unknown) => {
  process.stderr.write(`bench:gpu: ${error instanceof Error || isEngineError(error) ? error.message : String(error)}\n`);
  process.exitCode = 2;
});
