import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AnalyzeRequest, Answer } from '../../lib/engine/index.ts';
import { writeAttributionGraph } from '../../lib/interchange/attribution-graph.ts';
import { readEapGraph, writeEapGraph } from '../../lib/interchange/eap-graph.ts';
import { sumOfMechanism } from '../../lib/mechanism-sum.ts';
import { EDGES, PATHS, questionOf, type Snapshot } from '../../lib/snapshot.ts';
import { verifySnapshot } from '../../lib/verify.ts';
import { newHome } from '../testing/home.ts';
import { createEngine } from './index.ts';

/** What a page and the files of other tools hold, computed by the real engine on the built-in model. */

let engine: ReturnType<typeof createEngine>;
let example: { prompt: string; counterfactual: string; target: string; foil: string };
let snapshot: Snapshot;
const ask = (request: AnalyzeRequest): Promise<Answer> => engine.analyze(request);

beforeAll(async () => {
  engine = createEngine({ home: await newHome(), threads: 1 });
  const model = (await engine.models.list()).find(({ name }) => name === 'attn-2l');
  example = model!.example!;
  const setup = { model: 'attn-2l', position: null, ...example };
  const question = questionOf(setup);
  const partition = await ask({ ...question, view: 'paths', top: PATHS });
  const groups = [
    { id: 'group-00001', name: 'Paths', members: ['input->a1.h2->logits', 'a1.h4->logits'], createdAt: 0 },
    { id: 'group-00002', name: 'Nodes', members: ['a1.h2', 'a1.h3'], createdAt: 0 },
    { id: 'group-00003', name: 'Overlapping', members: ['a0.h1', 'a1.h2'], createdAt: 0 },
  ];
  const request: AnalyzeRequest = { ...question, view: 'path-effect', paths: ['input->a1.h2->logits'] };
  const answer = await ask(request);
  const author = { id: 'author-1', name: 'Ada' };
  const left = answer.terms[0]!.value!;
  snapshot = {
    slug: 'real',
    version: 1,
    title: 'Real',
    question: '',
    findings: '',
    authors: ['Ada'],
    publishedAt: 0,
    setup,
    partition,
    degrees: await ask({ ...question, view: 'degrees' }),
    flow: await ask({ ...question, view: 'flow', top: EDGES }),
    heads: await ask({ ...question, view: 'heads', nodes: ['a1.h2'] }),
    labels: [],
    mechanisms: await Promise.all(groups.map(async (group) => ({ group, ...(await sumOfMechanism(group.members, question, ask)) }))),
    threads: [],
    claims: [
      {
        claim: { id: 'claim-001', anchor: null, text: 'It matters', author, createdAt: 0, stances: {} },
        evidence: [
          {
            id: 'evidence-1',
            claimId: 'claim-001',
            runIds: ['run-00001'],
            predicate: `effect("input->a1.h2->logits") < ${left + 0.5}`,
            author,
            createdAt: 0,
            verdict: { value: 'holds', left, at: 0 },
            reruns: [],
          },
        ],
      },
    ],
    runs: [{ id: 'run-00001', key: 'k', boardId: null, view: request.view, request, answer, author, createdAt: 0, computedBy: 'server' }],
  };
});
afterAll(() => engine.close());

const verify = (given: Snapshot) => verifySnapshot(given, { models: () => engine.models.list(), analyze: ask });
const failed = async (given: Snapshot) =>
  (await verify(given)).parts.filter(({ mark }) => mark !== 'reproduced').map(({ id, mark }) => [id, mark]);

test('everything that the engine computed is reproduced by it', async () => {
  const report = await verify(JSON.parse(JSON.stringify(snapshot)) as Snapshot);
  expect(report.parts.map(({ id, mark }) => [id, mark])).toEqual(
    [
      'paths',
      'degrees',
      'flow',
      'heads',
      'run:run-00001',
      'group:group-00001',
      'group:group-00002',
      'group:group-00003',
      'evidence:evidence-1',
      'claim:claim-001',
    ].map((id) => [id, 'reproduced']),
  );
  // The same machine comes to the same bits.
  for (const { difference } of report.parts) expect(difference ?? 0).toBe(0);
});

test('a change of a thousandth of the largest number is found in every figure', async () => {
  const change = (answer: Answer) => (answer.terms[0]!.value! += 1e-3 * Math.max(...answer.terms.map(({ value }) => Math.abs(value!))));
  for (const figure of ['partition', 'degrees', 'flow'] as const) {
    const copy = structuredClone(snapshot);
    change(copy[figure]!);
    expect(await failed(copy)).toEqual([[figure === 'partition' ? 'paths' : figure, 'not-reproduced']]);
  }
  const pattern = structuredClone(snapshot);
  pattern.heads!.terms.find(({ name }) => name === 'a1.h2')!.pattern![3]![1]! += 0.01;
  expect(await failed(pattern)).toEqual([['heads', 'not-reproduced']]);
  const mechanism = structuredClone(snapshot);
  mechanism.mechanisms![0]!.value! += 0.01;
  expect(await failed(mechanism)).toEqual([['group:group-00001', 'not-reproduced']]);
  const prompt = structuredClone(snapshot);
  prompt.setup.prompt += '.';
  expect((await failed(prompt)).map(([id]) => id)).toEqual(
    expect.arrayContaining(['paths', 'degrees', 'flow', 'heads', 'group:group-00001']),
  );
});

test('a mechanism’s sum is that of its paths, and is not made up where members overlap', () => {
  const [paths, nodes, overlapping] = snapshot.mechanisms!;
  const value = (name: string) =>
    snapshot.partition.terms
      .filter((term) => term.name === name || term.name.endsWith(`->${name}`))
      .reduce((sum, term) => sum + term.value!, 0);
  // The page lists 40 paths: those through a1.h4 are most of it.
  expect(paths!.value! - value('input->a1.h2->logits')).toBeCloseTo(value('a1.h4->logits'), 1);
  expect(nodes!.value).toBeGreaterThan(0);
  expect(overlapping).toMatchObject({ value: null, why: expect.stringContaining('a0.h1 and a1.h2') });
});

test('an attribution graph by positions conserves the flow: what enters a head leaves it', async () => {
  const question = questionOf(snapshot.setup);
  const flow = await ask({ ...question, view: 'flow', positions: true, top: 100_000 });
  const graph = writeAttributionGraph({
    slug: 'real',
    prompt: example.prompt,
    layers: 2,
    flow,
    paths: null,
    groups: [],
    labels: [],
    pinned: [],
  });
  expect(new Set(graph.nodes.map(({ ctx_idx: place }) => place)).size).toBeGreaterThan(3);
  const sum = (key: 'source' | 'target', id: string) =>
    graph.links.filter((link) => link[key] === id).reduce((total, { weight }) => total + weight, 0);
  const heads = graph.nodes.filter(({ feature_type: type }) => type === 'attention head').map(({ node_id: id }) => id);
  const largest = heads.toSorted((a, b) => Math.abs(sum('source', b)) - Math.abs(sum('source', a))).slice(0, 5);
  for (const id of largest) expect(sum('target', id)).toBeCloseTo(sum('source', id), 3);
  const embeddings = graph.nodes.filter(({ layer }) => layer === 'E');
  for (const { node_id: id, ctx_idx: place } of embeddings) expect(id).toBe(`E_${flow.tokens[place]}_${place}`);
});

test('an EAP-IG graph has every edge of the model that EAP-IG knows, and comes back as a set to patch', async () => {
  const question = questionOf(snapshot.setup);
  const answer = await ask({ ...question, view: 'attribution', steps: 3 });
  const graph = writeEapGraph(answer, { layers: 2, heads: 8, dModel: 512 }, new Set(['input->a1.h2<v>', 'a1.h2->logits']));
  expect(Object.keys(graph.edges)).toHaveLength(answer.terms.length);
  expect(graph.edges['input->a1.h2<v>']?.score).toBe(answer.terms.find(({ name }) => name === 'input->a1.h2<v>')?.value);
  const { edges } = readEapGraph(JSON.parse(JSON.stringify(graph)));
  const patched = await ask({ ...question, view: 'edge-patch', edges: edges.map(({ name }) => name), together: true });
  expect(patched.terms.map(({ name }) => name)).toEqual([...edges.map(({ name }) => name), 'together']);
});
