import { mkdir, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ENGINE_VERSION, analyze, ofRun, type Answer, type Model, type TokenRequest } from '../../lib/engine/index.ts';
import { everyEdge } from '../../lib/engine/edge-runs.ts';
import type { Codec } from '../../lib/tokens.ts';
import { readCodec, readModelFolder } from '../../server/engine/model-folder.ts';
import { loadModel, noControl } from '../../server/engine/testing.ts';
import { SEED, drawPaths, fresh } from '../gpt2-small.ts';
import { describeMachine, memory, time } from '../machine.ts';

/**
 * SmolLM2-135M, a real model of 30 layers: how exact its expansions are, and what they cost. `npm run bench:smollm2 --
 * [FOLDER] [--logits FILE] [--threads N] [--repeats N] [--json]`; README.md beside this file says how the folder is made.
 * `--logits` writes every logit of every prompt, for check.py to compare.
 */

const FOLDER = fileURLToPath(new URL('../.cache/smollm2-135m', import.meta.url));

/** What it is asked, and the same with one fact changed; both of the same number of tokens. */
const PROMPTS: readonly (readonly [prompt: string, counterfactual: string])[] = [
  ['The capital of France is', 'The capital of Japan is'],
  ['When Mary and John went to the store, John gave a drink to', 'When Mary and John went to the store, Mary gave a drink to'],
  ['The war lasted from the year 1732 to the year 17', 'The war lasted from the year 1701 to the year 17'],
  ['def add(a, b):\n    return a +', 'def add(a, c):\n    return a +'],
  [
    'Photosynthesis is the process by which green plants turn light, water and carbon dioxide into sugar and oxygen. It happens in ' +
      'the leaves, inside small parts of each cell that are called chloroplasts, and it needs a green pigment whose name is',
    'Photosynthesis is the process by which green plants turn light, water and carbon dioxide into sugar and oxygen. It happens in ' +
      'the roots, inside small parts of each cell that are called chloroplasts, and it needs a green pigment whose name is',
  ],
];
/** The one whose costs are measured. */
const LONGEST = PROMPTS.length - 1;
/** Of |sum − metric| to Σ|direct terms|, in float32 [M11]. */
const ALLOWED = 1e-5;

interface Prompt {
  text: string;
  tokens: number[];
  counterfactualTokens: number[];
}

interface Exactness {
  prompt: string;
  tokens: number;
  answer: string;
  metric: number;
  /** Σ|direct terms| */
  scale: number;
  /** by view: |sum − metric| / Σ|direct terms| */
  errors: Record<string, number>;
}

interface Cost {
  work: string;
  medianMs: number;
  note: string;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    logits: { type: 'string' },
    threads: { type: 'string', default: String(availableParallelism()) },
    repeats: { type: 'string', default: '5' },
  },
});
const threads = Number(values.threads);
const repeats = Number(values.repeats);
const slow = Math.max(1, Math.floor(repeats / 2));
const called = (path: string) => resolve(process.env['INIT_CWD'] ?? '.', path);

function read([text, other]: (typeof PROMPTS)[number], codec: Codec): Prompt {
  const [tokens, counterfactualTokens] = [codec.encode(text, true), codec.encode(other, true)];
  if (tokens.length === counterfactualTokens.length) return { text, tokens, counterfactualTokens };
  throw new Error(`${text}: expected a counterfactual of ${tokens.length} tokens, got ${counterfactualTokens.length}`);
}

async function measureExactness(model: Model, codec: Codec, { text, tokens }: Prompt): Promise<Exactness> {
  const ask = (view: Partial<TokenRequest> & Pick<TokenRequest, 'view'>) =>
    analyze(model, { model: model.name, tokens, ...view }, noControl);
  const direct = await ask({ view: 'direct' });
  const { metric, target } = ofRun(direct);
  const scale = direct.terms.reduce((sum, { value }) => sum + Math.abs(value!), 0);
  const errors: Record<string, number> = { direct: direct.error! / scale };
  for (const view of ['degrees', 'flow', 'suffixes'] as const) errors[view] = (await ask({ view })).error! / scale;
  const paths = await ask({ view: 'paths', top: 1000 });
  errors['paths'] = paths.error! / scale;
  // One partition of the metric, however deep it was opened [M12].
  const opened = await ask({ view: 'suffixes', untilMass: 0.5 });
  errors['suffixes, half the mass opened'] = opened.error! / scale;
  return { prompt: text.slice(0, 40), tokens: tokens.length, answer: codec.text(target), metric, scale, errors };
}

async function measureCosts(model: Model, { tokens, counterfactualTokens }: Prompt): Promise<Cost[]> {
  const request = { model: model.name, tokens, counterfactualTokens };
  const ask = (view: Partial<TokenRequest> & Pick<TokenRequest, 'view'>) => analyze(model, { ...request, ...view }, noControl);
  const costs: Cost[] = [];
  const add = async (work: string, times: number, run: () => Promise<unknown>, note: (last: Answer) => string = () => '') => {
    let last: unknown;
    const { median } = await time(times, async () => (last = await run()));
    costs.push({ work, medianMs: median, note: note(last as Answer) });
    if (!values.json) console.error(`${work}: ${median.toFixed(0)} ms`);
  };
  await add('forward, logits of the last token', repeats, () => model.logits([fresh(model.spec.vocabulary, tokens)]));
  await add('forward, every head and MLP apart', repeats, () => model.clean(fresh(model.spec.vocabulary, tokens)));
  await model.clean(counterfactualTokens);
  await model.clean(tokens);
  await add('degree spectrum, all 61 degrees', repeats, () => ask({ view: 'degrees' }));
  await add(
    'flow of every edge',
    repeats,
    () => ask({ view: 'flow' }),
    ({ terms }) => `${terms.length.toLocaleString('en')} edges`,
  );
  await add('top 1,000 paths', slow, () => ask({ view: 'paths', top: 1000 }), searchNote);
  const drawn = drawPaths(model.spec, 1000, SEED);
  await add('1,000 path effects of degree 3', slow, () => ask({ view: 'path-effect', paths: drawn }));
  const edges = `${everyEdge(model.spec).length.toLocaleString('en')} edges, slots apart`;
  await add(
    'attribution (EAP) of every edge',
    slow,
    () => ask({ view: 'attribution' }),
    () => edges,
  );
  return costs;
}

function searchNote(answer: Answer): string {
  const { metric } = ofRun(answer);
  const listed = answer.terms.reduce((sum, { value }) => sum + Math.abs(value!), 0);
  const unopened = answer.largestUnopened ?? 0;
  return `${answer.search}: ${answer.opened} suffixes opened, Σ|listed| ${listed.toPrecision(3)}, largest unopened ${unopened.toPrecision(3)}, metric ${metric.toPrecision(3)}`;
}

async function writeLogits(model: Model, prompts: readonly Prompt[], path: string): Promise<void> {
  const rows = [];
  for (const { text, tokens } of prompts) {
    const answer = await analyze(model, { model: model.name, tokens, view: 'logits', top: model.spec.vocabulary }, noControl);
    const logits = Array<number>(model.spec.vocabulary);
    for (const { name, logit } of answer.terms) logits[Number(name)] = logit!;
    rows.push({ text, tokens, logits });
  }
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, JSON.stringify(rows));
}

const folder = positionals[0] === undefined ? FOLDER : called(positionals[0]);
if (!(await stat(folder).catch(() => null))) {
  throw new Error(`${folder}: expected the folder that convert.py writes (bench/smollm2/README.md), got none`);
}
const machine = await describeMachine();
const codec = await readCodec(folder);
const prompts = PROMPTS.map((pair) => read(pair, codec));
const { bytes, spec } = await readModelFolder(folder);
const started = performance.now();
const model = await loadModel(folder, threads);
await model.logits([prompts[0]!.tokens]);
const loadMs = performance.now() - started;
const exactness: Exactness[] = [];
for (const prompt of prompts) exactness.push(await measureExactness(model, codec, prompt));
const worst = Math.max(...exactness.flatMap(({ errors }) => Object.values(errors)));
const costs = await measureCosts(model, prompts[LONGEST]!);
const used = await memory();
if (values.logits !== undefined) await writeLogits(model, prompts, called(values.logits));
await model.close();

if (values.json) {
  console.log(JSON.stringify({ machine, engineVersion: ENGINE_VERSION, threads, repeats, loadMs, exactness, costs, memory: used }));
} else {
  console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.os}`);
  console.log(`Node ${machine.node}, onnxruntime-node ${machine.onnxruntime}, engine ${ENGINE_VERSION}, ${threads} threads, float32`);
  const { layers, heads, kvHeads, dModel, vocabulary } = spec;
  console.log(
    `${layers} layers, ${heads} heads to ${kvHeads} of keys and values, width ${dModel}, ${vocabulary} tokens, ${(bytes / 1e6).toFixed(0)} MB`,
  );
  console.log(`from the folder to the first logits ${(loadMs / 1000).toFixed(1)} s\n`);
  console.log('|sum − metric| / Σ|direct terms| (allowed 1e-5)');
  for (const { prompt, tokens, answer, metric, scale, errors } of exactness) {
    console.log(
      `"${prompt.replaceAll('\n', '⏎')}" (${tokens} tokens): "${answer}", metric ${metric.toPrecision(4)}, Σ|direct| ${scale.toPrecision(4)}`,
    );
    console.log(
      `  ${Object.entries(errors)
        .map(([view, error]) => `${view} ${error.toExponential(1)}`)
        .join(', ')}`,
    );
  }
  console.log(`worst ${worst.toExponential(1)}\n`);
  console.log(`${prompts[LONGEST]!.tokens.length} tokens, medians of ${repeats} runs (paths, effects, attribution: ${slow})`);
  for (const { work, medianMs, note } of costs)
    console.log(`${work.padEnd(36)}${medianMs.toFixed(0).padStart(8)} ms${note && `   ${note}`}`);
  console.log(`\nmemory: at most ${used.peakGiB.toFixed(2)} GiB resident; at the end ${used.nowGiB.toFixed(2)}`);
}
// A bench that finds them inexact has failed, however fast it was.
if (worst > ALLOWED) process.exitCode = 1;
