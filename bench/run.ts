import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { ENGINE_VERSION, analyze, ofRun, type Model, type TokenRequest } from '../lib/engine/index.ts';
import { everyEdge } from '../lib/engine/edge-runs.ts';
import { streamSources } from '../lib/engine/spec.ts';
import { createNodeRuntime } from '../server/engine/node-runtime.ts';
import { loadModel, noControl } from '../server/engine/testing.ts';
import { comparePeers, printComparison } from './compare.ts';
import { countFlops } from './flops.ts';
import { SEED, drawPaths, drawTokens, fresh, gpt2SmallFolder } from './gpt2-small.ts';
import { measureGrowth, printGrowth, withLayers } from './growth.ts';
import { describeMachine, matmulPeak, memory, time } from './machine.ts';
import { measureSearch } from './search.ts';

/**
 * Times the engine on a GPT-2-small shape: `npm run bench [-- --json] [--tokens 64] [--threads N] [--repeats N]`; with
 * `--peers` also other tools at 32 and 64 tokens, with `--growth` how cost grows with layers, tokens and K.
 */

interface Row {
  work: string;
  medianMs: number;
  /** in forward passes over one prompt */
  forwards: number;
  gflops: number;
  gflopsPerSecond: number;
  shareOfPeak: number;
  note: string;
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    tokens: { type: 'string', default: '64' },
    threads: { type: 'string', default: String(availableParallelism()) },
    repeats: { type: 'string', default: '7' },
    peers: { type: 'boolean', default: false },
    growth: { type: 'boolean', default: false },
  },
});
const [length, threads, repeats] = [values.tokens, values.threads, values.repeats].map(Number) as [number, number, number];
const slow = Math.max(1, Math.floor(repeats / 2));

async function measure(model: Model, peak: number): Promise<Row[]> {
  const tokens = drawTokens(model.spec.vocabulary, length, SEED);
  const counterfactualTokens = drawTokens(model.spec.vocabulary, length, SEED + 1);
  const request = { model: 'gpt2-small', tokens, counterfactualTokens, target: 1, foil: 2 };
  const ask = (view: Partial<TokenRequest> & Pick<TokenRequest, 'view'>) => analyze(model, { ...request, ...view }, noControl);
  const rows: Row[] = [];
  const add = async (work: string, times: number, run: () => Promise<unknown>, note = '') => {
    const gflops = (await countFlops(model, run)) / 1e9;
    const { median: medianMs } = await time(times, run);
    const gflopsPerSecond = (1000 * gflops) / medianMs;
    const forwards = medianMs / (rows[0]?.medianMs ?? medianMs);
    rows.push({ work, medianMs, forwards, gflops, gflopsPerSecond, shareOfPeak: gflopsPerSecond / peak, note });
  };
  const sources = streamSources(model.spec).length;
  await add('forward, logits of the last token', repeats, () => model.logits([fresh(model.spec.vocabulary, tokens)]));
  const returned = `${sources} outputs of ${length} × ${model.spec.dModel} returned`;
  await add('forward, every head and MLP apart', repeats, () => model.clean(fresh(model.spec.vocabulary, tokens)), returned);
  await model.clean(counterfactualTokens);
  await model.clean(tokens);
  const kept = 'runs and metric kept from before';
  await add('degree spectrum, all 25 degrees', repeats, () => ask({ view: 'degrees' }), kept);
  await add('flow of every edge', repeats, () => ask({ view: 'flow' }), kept);
  const found = await ask({ view: 'paths', top: 100 });
  const unopened = `largest unopened ${found.largestUnopened!.toPrecision(3)} of metric ${ofRun(found).metric.toPrecision(3)}`;
  await add('top 100 paths', slow, () => ask({ view: 'paths', top: 100 }), `${found.opened} suffixes opened, ${unopened}`);
  const edges = everyEdge(model.spec).length.toLocaleString('en');
  await add(`attribution of ${edges} edges`, slow, () => ask({ view: 'attribution' }), 'both runs anew, metric kept');
  const drawn = drawPaths(model.spec, 1000, SEED);
  await add('1,000 path effects of degree 3', slow, () => ask({ view: 'path-effect', paths: drawn }), `drawn uniformly, seed ${SEED}`);
  rows.push(...(await measurePatching(model, request, peak, rows[0]!.medianMs)));
  return rows;
}

/** Every edge of four layers patched alone. */
async function measurePatching(model: Model, request: Omit<TokenRequest, 'view'>, peak: number, forwardMs: number): Promise<Row[]> {
  const four = withLayers(model, 4);
  const run = () => analyze(four, { ...request, view: 'edge-patch', allEdges: true }, noControl);
  const gflops = (await countFlops(four, run)) / 1e9;
  const { median: medianMs } = await time(1, run);
  await four.close();
  const gflopsPerSecond = (1000 * gflops) / medianMs;
  const work = `patching each of ${everyEdge(four.spec).length.toLocaleString('en')} edges, 4 layers`;
  return [{ work, medianMs, forwards: medianMs / forwardMs, gflops, gflopsPerSecond, shareOfPeak: gflopsPerSecond / peak, note: '' }];
}

function printRows(rows: readonly Row[]): void {
  console.log(`${'work'.padEnd(42)}${'ms'.padStart(9)}${'forwards'.padStart(10)}${'GFLOP/s'.padStart(9)}${'of peak'.padStart(9)}`);
  for (const { work, medianMs, forwards, gflops, gflopsPerSecond, shareOfPeak, note } of rows) {
    const rate = gflops === 0 ? ['', ''] : [gflopsPerSecond.toFixed(0), `${(100 * shareOfPeak).toFixed(0)}%`];
    const numbers = [medianMs.toFixed(1).padStart(9), forwards.toFixed(1).padStart(10), rate[0]!.padStart(9), rate[1]!.padStart(9)];
    console.log(`${work.padEnd(42)}${numbers.join('')}${note && `   ${note}`}`);
  }
}

const machine = await describeMachine();
const folder = await gpt2SmallFolder();
const peak = await matmulPeak(createNodeRuntime(folder, { threads }), repeats);
const model = await loadModel(folder, threads);
const rows = await measure(model, peak);
const used = await memory();
const search = await measureSearch(model);
const growth = values.growth ? await measureGrowth(model) : [];
await model.close();
const peers = [];
if (values.peers) for (const tokens of [32, 64]) peers.push(...(await comparePeers(folder, threads, tokens, slow)));

if (values.json) {
  const settings = { machine, engineVersion: ENGINE_VERSION, threads, tokens: length, repeats, matmulPeakGflops: peak };
  console.log(JSON.stringify({ ...settings, rows, memory: used, search, growth, peers }));
} else {
  console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.os}`);
  console.log(`Node ${machine.node}, onnxruntime-node ${machine.onnxruntime}, engine ${ENGINE_VERSION}, ${threads} threads, float32`);
  const runs = `medians of ${repeats} runs (searches, attribution and effects: ${slow}; patching: 1)`;
  console.log(`GPT-2-small shape, random weights (seed ${SEED}), ${length} tokens, ${runs}`);
  console.log(`MatMul peak through the same runtime: ${peak.toFixed(0)} GFLOP/s\n`);
  printRows(rows);
  console.log(
    `\nmemory: at most ${used.peakGiB.toFixed(2)} GiB resident; at the end ${used.nowGiB.toFixed(2)}, each page counted once ${used.onceGiB.toFixed(2)}`,
  );
  console.log(
    `4 layers, ${search.tokens} tokens: the search's top 100 hold ${(100 * search.share).toFixed(1)}% of the true top 100's mass`,
  );
  printGrowth(growth);
  if (peers.length > 0) printComparison(peers);
}
