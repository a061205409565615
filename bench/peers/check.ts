import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { analyze, type Model } from '../../lib/engine/index.ts';
import { sourceRows } from '../../lib/engine/spec.ts';
import { FIXTURES, loadModel, noControl } from '../../server/engine/testing.ts';
import { PEERS, compareValues, runPeer, type Comparison, type PeerName, type PeerResult, type PeerSpec, type PeerWork } from './peers.ts';

/**
 * Holds every peer against the float64 numbers of `random-gpt2`, its heads' outputs and path effects also against this engine:
 * `node --import tsx bench/peers/check.ts`. Ends with exit code 1 when one disagrees.
 */

interface Golden {
  tokens: number[];
  counterfactual_tokens: number[];
  target: number;
  foil: number;
  logits: number[];
  edge_patch: Record<string, number>;
  edge_patch_qkv: Record<string, number>;
  path_effect: Record<string, number>;
  attribution: Record<string, number>;
}

const folder = join(FIXTURES, 'random-gpt2');
const golden = JSON.parse(await readFile(join(FIXTURES, 'goldens', 'random-gpt2.json'), 'utf8')) as Golden;
const heads = ['a0.h0', 'a1.h2', 'a2.h3'];
const edges = { ...golden.edge_patch, ...golden.edge_patch_qkv };
const spec: PeerSpec = {
  folder,
  threads: 1,
  tokens: golden.tokens,
  counterfactualTokens: golden.counterfactual_tokens,
  target: golden.target,
  foil: golden.foil,
  repeats: 1,
  heads,
  edges: Object.keys(edges),
  paths: Object.keys(golden.path_effect),
};

/** What the peer said under the names of the golden numbers: an edge without a slot is the sum of its three. */
function named(result: PeerResult, names: Iterable<string>): Map<string, number> {
  const value = (name: string) =>
    result.values.get(name) ?? ['q', 'k', 'v'].reduce((sum, slot) => sum + (result.values.get(`${name}<${slot}>`) ?? Number.NaN), 0);
  return new Map([...names].map((name) => [name, value(name)]));
}

async function headOutputs(model: Model): Promise<Map<string, number>> {
  const { sources } = await model.clean(golden.tokens);
  const [, length, d] = sources.dims as [number, number, number];
  const rows = sourceRows(model.spec);
  const at = (name: string, channel: number) => sources.data[(rows.get(name)! * length + length - 1) * d + channel]!;
  return new Map(heads.flatMap((name) => Array.from({ length: d }, (_, channel) => [`${name}[${channel}]`, at(name, channel)] as const)));
}

async function engineEffects(model: Model): Promise<Map<string, number>> {
  const { tokens, counterfactual_tokens: counterfactualTokens, target, foil } = golden;
  const request = { model: 'random-gpt2', tokens, counterfactualTokens, target, foil, paths: [...(spec.paths ?? [])] };
  const answer = await analyze(model, { ...request, view: 'path-effect' }, noControl);
  return new Map(answer.terms.map(({ name, value }) => [name, value!]));
}

const model = await loadModel(folder);
const logits = new Map([
  ['target', golden.logits[golden.target]!],
  ['foil', golden.logits[golden.foil]!],
]);
const table = (values: Record<string, number>) => new Map(Object.entries(values));
const wanted: Record<PeerWork, [what: string, numbers: Map<string, number>][]> = {
  forward: [['goldens', logits]],
  cache: [
    ['goldens', logits],
    ['engine, heads', await headOutputs(model)],
  ],
  eap: [['goldens', table(golden.attribution)]],
  'edge-patch': [['goldens', table(edges)]],
  'path-effects': [
    ['goldens', table(golden.path_effect)],
    ['engine', await engineEffects(model)],
  ],
};
await model.close();

const attributions: PeerResult[] = [];
let failed = 0;

function report(peer: string, work: string, against: string, { count, largestDifference, scale, agree }: Comparison): void {
  if (!agree) failed++;
  const relative = (largestDifference / scale).toExponential(1);
  console.log(
    `${peer.padEnd(22)}${work.padEnd(14)}${against.padEnd(26)}${String(count).padStart(5)} values  off by ${relative} of the largest  ${agree ? 'agree' : 'DISAGREE'}`,
  );
}

for (const peer of Object.keys(PEERS) as PeerName[]) {
  for (const work of PEERS[peer].works) {
    for (const lastPositionOnly of work === 'forward' || work === 'cache' ? [true] : [true, false]) {
      const result = await runPeer(peer, work, { ...spec, lastPositionOnly });
      for (const [what, numbers] of wanted[work]) {
        const against = lastPositionOnly ? what : `${what}, all positions`;
        report(peer, work, against, compareValues(numbers, named(result, numbers.keys())));
      }
      if (work === 'eap' && lastPositionOnly) attributions.push(result);
    }
  }
}
report('auto-circuit, eap-ig', 'eap', 'each other, every edge', compareValues(attributions[0]!.values, attributions[1]!.values));
process.exitCode = failed === 0 ? 0 : 1;
