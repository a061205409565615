import { analyze, ofRun, printEdge, type Model, type TokenRequest } from '../lib/engine/index.ts';
import { everyEdge } from '../lib/engine/edge-runs.ts';
import { sourceRows } from '../lib/engine/spec.ts';
import { loadModel, noControl } from '../server/engine/testing.ts';
import { SEED, drawPaths, drawTokens, fresh } from './gpt2-small.ts';
import { time } from './machine.ts';
import { firstLayers } from './peers/first-layers.ts';
import { compareValues, runPeer, type Comparison, type PeerName, type PeerResult, type PeerSpec } from './peers/peers.ts';

/** The same questions put to other tools, on the same weights and in the same run; answers are compared before times. */

export interface ComparedRow {
  work: string;
  tokens: number;
  peer: string;
  oursMs: number;
  peerMs: number;
  /** peer / ours */
  ratio: number;
  /** what the ratio should be at least; null where another peer is the one to beat */
  target: number | null;
  agreement: Comparison;
  note: string;
}

interface Bench {
  model: Model;
  spec: PeerSpec;
}

const TARGET = 1;
const FOIL = 2;
const SAMPLE = { edges: 40, paths: 20 };

/** @param folder of a GPT-2-small shape */
export async function comparePeers(folder: string, threads: number, tokens: number, repeats: number): Promise<ComparedRow[]> {
  const whole = await benchOf(folder, threads, tokens, repeats);
  const rows = [await compareCache(whole), ...(await compareAttribution(whole)), await compareEffects(whole)];
  await whole.model.close();
  const four = await benchOf(await firstLayers(folder, 4), threads, tokens, repeats);
  rows.push(await compareEdges(four));
  await four.model.close();
  return rows;
}

export function printComparison(rows: readonly ComparedRow[]): void {
  console.log(
    `\n${'work'.padEnd(40)}${'tokens'.padStart(7)}  ${'peer'.padEnd(26)}${'ours ms'.padStart(10)}${'peer ms'.padStart(11)}${'ratio'.padStart(8)}  target`,
  );
  for (const { work, tokens, peer, oursMs, peerMs, ratio, target, agreement, note } of rows) {
    const numbers = [oursMs.toFixed(0).padStart(10), peerMs.toFixed(0).padStart(11), ratio.toFixed(1).padStart(8)].join('');
    const off = (agreement.largestDifference / agreement.scale).toExponential(1);
    const same = agreement.agree ? `${agreement.count} values agree to ${off}` : `VALUES DIFFER by ${off}`;
    const wanted = target === null ? '' : `≥ ${target}`;
    console.log(`${work.padEnd(40)}${String(tokens).padStart(7)}  ${peer.padEnd(26)}${numbers}  ${wanted.padEnd(6)}  ${same}; ${note}`);
  }
}

async function benchOf(folder: string, threads: number, length: number, repeats: number): Promise<Bench> {
  const model = await loadModel(folder, threads);
  const [tokens, counterfactualTokens] = [0, 1].map((shift) => drawTokens(model.spec.vocabulary, length, SEED + shift)) as [
    number[],
    number[],
  ];
  return { model, spec: { folder, threads, tokens, counterfactualTokens, target: TARGET, foil: FOIL, repeats, seed: SEED } };
}

/** Every head's output apart. The peer unembeds every token besides, ours none: logits are compared, not timed. */
async function compareCache({ model, spec }: Bench): Promise<ComparedRow> {
  const heads = ['a0.h0', `a${model.spec.layers - 1}.h${model.spec.heads - 1}`];
  const peer = await runPeer('transformer-lens', 'cache', { ...spec, heads });
  const ours = await time(spec.repeats, () => model.clean(fresh(model.spec.vocabulary, spec.tokens)));
  const { sources } = await model.clean(spec.tokens);
  const logits = (await model.logits([spec.tokens])).data;
  const [, length, d] = sources.dims as [number, number, number];
  const rows = sourceRows(model.spec);
  const values = new Map<string, number>([
    ['target', logits[TARGET]!],
    ['foil', logits[FOIL]!],
  ]);
  for (const head of heads) {
    const start = (rows.get(head)! * length + length - 1) * d;
    for (let channel = 0; channel < d; channel++) values.set(`${head}[${channel}]`, sources.data[start + channel]!);
  }
  return row(
    spec.tokens.length,
    'forward with every head apart',
    1.5,
    peer,
    ours.median,
    compareValues(values, peer.values),
    'run_with_cache, use_attn_result; it unembeds every token besides',
  );
}

async function compareAttribution({ model, spec }: Bench): Promise<ComparedRow[]> {
  const names: PeerName[] = ['auto-circuit', 'eap-ig'];
  const peers: PeerResult[] = [];
  for (const name of names) peers.push(await runPeer(name, 'eap', spec));
  const ours = await time(spec.repeats, () =>
    ask(
      model,
      {
        ...spec,
        tokens: fresh(model.spec.vocabulary, spec.tokens),
        counterfactualTokens: fresh(model.spec.vocabulary, spec.counterfactualTokens),
      },
      { view: 'attribution' },
    ),
  );
  const values = termsOf(await ask(model, spec, { view: 'attribution' }));
  const fastest = Math.min(...peers.map(median));
  return peers.map((peer) => {
    const compared = compareValues(values, peer.values);
    return row(
      spec.tokens.length,
      `attribution, ${values.size.toLocaleString('en')} edges`,
      median(peer) === fastest ? 2 : null,
      peer,
      ours.median,
      compared,
      'both runs and the way back',
    );
  });
}

async function compareEffects({ model, spec }: Bench): Promise<ComparedRow> {
  const paths = drawPaths(model.spec, 1000, SEED);
  const peer = await runPeer('transformer-lens', 'path-effects', { ...spec, repeats: 1, paths, sample: SAMPLE.paths });
  await model.clean(spec.counterfactualTokens);
  const ours = await time(Math.min(3, spec.repeats), () => ask(model, spec, { view: 'path-effect', paths }));
  const answer = await ask(model, spec, { view: 'path-effect', paths });
  // An effect is a difference of two metrics, which float32 rounds at the size of the metric.
  const compared = compareValues(only(termsOf(answer), peer), peer.values, 1e-5 * Math.abs(ofRun(answer).metric));
  return row(spec.tokens.length, '1,000 path effects of degree 3', 20, peer, ours.median, compared, sampled(peer));
}

async function compareEdges({ model, spec }: Bench): Promise<ComparedRow> {
  const edges = everyEdge(model.spec).map(printEdge);
  const peer = await runPeer('auto-circuit', 'edge-patch', { ...spec, repeats: 1, edges, sample: SAMPLE.edges });
  const ours = await time(1, () => ask(model, spec, { view: 'edge-patch', allEdges: true }));
  const values = termsOf(await ask(model, spec, { view: 'edge-patch', allEdges: true }));
  const name = `patching each of ${edges.length.toLocaleString('en')} edges, ${model.spec.layers} layers`;
  return row(spec.tokens.length, name, 5, peer, ours.median, compareValues(only(values, peer), peer.values), sampled(peer));
}

function row(
  tokens: number,
  work: string,
  target: number | null,
  peer: PeerResult,
  oursMs: number,
  agreement: Comparison,
  note: string,
): ComparedRow {
  const peerMs = median(peer);
  return { work, tokens, peer: peer.peer, oursMs, peerMs, ratio: peerMs / oursMs, target, agreement, note };
}

/** Of the whole work, extrapolated where only a sample was timed. */
function median({ ms, sample }: PeerResult): number {
  const all = (sample?.msAll ?? ms).toSorted((a, b) => a - b);
  return all[Math.floor(all.length / 2)]!;
}

function sampled({ sample }: PeerResult): string {
  return sample ? `peer: ${sample.timed} of ${sample.of} ${sample.unit}s timed` : 'peer: all timed';
}

function only(values: ReadonlyMap<string, number>, peer: PeerResult): Map<string, number> {
  return new Map([...values].filter(([name]) => peer.values.has(name)));
}

function ask(model: Model, spec: PeerSpec, request: Partial<TokenRequest> & Pick<TokenRequest, 'view'>) {
  const { tokens, counterfactualTokens, target, foil } = spec;
  return analyze(
    model,
    { model: 'bench', tokens: [...tokens], counterfactualTokens: [...counterfactualTokens], target, foil, ...request },
    noControl,
  );
}

function termsOf({ terms }: Awaited<ReturnType<typeof ask>>): Map<string, number> {
  return new Map(terms.map(({ name, value }) => [name, value!]));
}
