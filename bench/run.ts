import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { ENGINE_VERSION, analyze, type Model, type TokenRequest } from '../lib/engine/index.ts';
import { streamSources } from '../lib/engine/spec.ts';
import { createNodeRuntime } from '../server/engine/node-runtime.ts';
import { loadModel, noControl } from '../server/engine/testing.ts';
import { Flops } from './flops.ts';
import { SEED, drawPaths, drawTokens, gpt2SmallFolder } from './gpt2-small.ts';
import { describeMachine, matmulPeak, time } from './machine.ts';

/** Times the engine on a GPT-2-small shape: `npm run bench [-- --json] [--tokens 64] [--threads N] [--repeats N]`. */

interface Row {
  work: string;
  medianMs: number;
  gflops: number;
  gflopsPerSecond: number;
  shareOfPeak: number;
  note?: string;
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    tokens: { type: 'string', default: '64' },
    threads: { type: 'string', default: String(availableParallelism()) },
    repeats: { type: 'string', default: '7' },
  },
});
const [length, threads, repeats] = [values.tokens, values.threads, values.repeats].map(Number) as [number, number, number];

async function measure(model: Model, peak: number): Promise<Row[]> {
  const tokens = drawTokens(model.spec.vocabulary, length, SEED);
  const counterfactualTokens = drawTokens(model.spec.vocabulary, length, SEED + 1);
  const flops = new Flops(model.spec, length);
  const sources = streamSources(model.spec).length;
  const request = { model: 'gpt2-small', tokens, counterfactualTokens, target: 1, foil: 2 };
  const ask = (view: Partial<TokenRequest> & Pick<TokenRequest, 'view'>) => analyze(model, { ...request, ...view }, noControl);
  const row = (work: string, medianMs: number, count: number, note?: string): Row => {
    const gflopsPerSecond = count / (medianMs * 1e6);
    return { work, medianMs, gflops: count / 1e9, gflopsPerSecond, shareOfPeak: gflopsPerSecond / peak, ...(note && { note }) };
  };
  const rows: Row[] = [];
  const forward = await time(repeats, () => model.logits([tokens]));
  rows.push(row('forward, logits of the last token', forward.median, flops.forward));

  let fresh = 0;
  const clean = await time(repeats, () => model.clean([fresh++, ...tokens.slice(1)]));
  rows.push(
    row('forward, every head and MLP apart', clean.median, flops.clean, `${sources} outputs of ${length} × ${model.spec.dModel} returned`),
  );

  await model.clean(tokens);
  const forwards = 2 * flops.forward;
  const degrees = await time(repeats, () => ask({ view: 'degrees' }));
  rows.push(
    row('degree spectrum, all 25 degrees', degrees.median, flops.degrees + forwards, 'with the metric of prompt and counterfactual'),
  );

  const slow = Math.max(1, Math.floor(repeats / 2));
  const found = await ask({ view: 'paths', top: 100 });
  const paths = await time(slow, () => ask({ view: 'paths', top: 100 }));
  const opened = await countOpened(model, tokens);
  const openFlops = opened.reduce((sum, first) => sum + flops.open(first, sources), 0);
  const note = `${found.search} search, ${found.opened} suffixes opened, largest unopened ${found.largestUnopened!.toPrecision(3)} of metric ${found.metric.toPrecision(3)}`;
  rows.push(row('top 100 paths', paths.median, openFlops + forwards, note));

  const drawn = drawPaths(model.spec, 1000, SEED);
  await model.clean(counterfactualTokens);
  const effects = await time(slow, () => ask({ view: 'path-effect', paths: drawn }));
  rows.push(row('1,000 path effects of degree 3', effects.median, flops.pathEffects(drawn) + forwards, `drawn uniformly, seed ${SEED}`));
  return rows;
}

/** First nodes of the suffixes that the search opens, for counting its operations. */
async function countOpened(model: Model, tokens: readonly number[]): Promise<string[]> {
  const firsts: string[] = [];
  const run = model.run.bind(model);
  const counting: Model['run'] = (name, make, feeds) => {
    const match = /^(head|mlp)-transpose-/.exec(name);
    if (match) for (let i = 0; i < feeds['directions']!.dims[0]!; i++) firsts.push(match[1] === 'head' ? 'a' : 'm');
    return run(name, make, feeds);
  };
  model.run = counting;
  await analyze(model, { view: 'paths', model: 'gpt2-small', tokens, target: 1, foil: 2, top: 1 }, noControl);
  model.run = run;
  return ['logits', ...firsts];
}

const machine = await describeMachine();
const folder = await gpt2SmallFolder();
const peak = await matmulPeak(createNodeRuntime(folder, { threads }), repeats);
const model = await loadModel(folder, threads);
const rows = await measure(model, peak);
const peakMemoryGiB = process.resourceUsage().maxRSS / 2 ** 20;
await model.close();

if (values.json)
  console.log(
    JSON.stringify({
      machine,
      engineVersion: ENGINE_VERSION,
      threads,
      tokens: length,
      repeats,
      matmulPeakGflops: peak,
      rows,
      peakMemoryGiB,
    }),
  );
else {
  console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.os}`);
  console.log(`Node ${machine.node}, onnxruntime-node ${machine.onnxruntime}, engine ${ENGINE_VERSION}, ${threads} threads, float32`);
  console.log(
    `GPT-2-small shape, random weights (seed ${SEED}), ${length} tokens, medians of ${repeats} runs (searches and effects: ${Math.max(1, Math.floor(repeats / 2))})`,
  );
  console.log(`MatMul peak through the same runtime: ${peak.toFixed(0)} GFLOP/s\n`);
  console.log(`${'work'.padEnd(38)}${'ms'.padStart(9)}${'GFLOP/s'.padStart(10)}${'of peak'.padStart(9)}`);
  for (const row of rows) {
    console.log(
      `${row.work.padEnd(38)}${row.medianMs.toFixed(1).padStart(9)}${row.gflopsPerSecond.toFixed(0).padStart(10)}${`${(100 * row.shareOfPeak).toFixed(0)}%`.padStart(9)}${row.note ? `   ${row.note}` : ''}`,
    );
  }
  console.log(`\npeak memory (RSS) ${peakMemoryGiB.toFixed(2)} GiB`);
}
