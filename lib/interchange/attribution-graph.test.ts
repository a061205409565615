import { describe, expect, it } from 'vitest';
import { answerTo } from '../../server/testing/fake-engine.ts';
import type { Answer } from '../engine/index.ts';
import { layersOf, readAttributionGraph, writeAttributionGraph, type GraphSource } from './attribution-graph.ts';

/** Attribution graphs of circuit-tracer and Neuronpedia, there and back. */

const terms = (names: Record<string, number>) => Object.entries(names).map(([name, value]) => ({ name, value }));
const flow = (names: Record<string, number>): Answer => ({
  ...answerTo({ view: 'flow', model: 'toy' }),
  tokens: [5, 6, 7],
  tokenTexts: ['When', ' Mary', ' and'],
  position: 2,
  target: 9,
  targetText: ' John',
  foil: 8,
  foilText: ' Mary',
  terms: terms(names),
});

const PLACED = {
  'input@1->a0.h1@2': 0.5,
  'a0.h1@2->m0@2': -0.25,
  'm0@2->logits@2': 1.5,
  'a0.b@2->logits@2': 0.125,
  'logits.b->logits@2': 0.1,
};
const source = (change: Partial<GraphSource> = {}): GraphSource => ({
  slug: 'a-board',
  prompt: 'When Mary and',
  layers: 2,
  flow: flow(PLACED),
  paths: null,
  groups: [{ id: 'group-001', name: 'Name mover', members: ['a0.h1->m0->logits', 'a0.h1->m0'], createdAt: 0 }],
  labels: [{ id: 'label-001', anchor: 'm0', text: 'sums up', createdAt: 0 }],
  pinned: ['m0'],
  ...change,
});

describe('a graph that is written', () => {
  const graph = writeAttributionGraph(source());

  it('has every node under an id of the scheme, at its place in the prompt', () => {
    expect(graph.nodes.map(({ node_id: id, feature_type: type, layer, ctx_idx: place }) => [id, type, layer, place])).toEqual([
      ['E_6_1', 'embedding', 'E', 1],
      ['0_h1_2', 'attention head', '0', 2],
      ['0_mlp_2', 'mlp', '0', 2],
      ['3_9_2', 'logit', '3', 2],
      ['0_bias_2', 'bias', '0', 2],
      ['L_bias_2', 'bias', '3', 2],
    ]);
    expect(graph.nodes.find(({ feature_type: type }) => type === 'logit')).toMatchObject({
      is_target_logit: true,
      feature: 9,
      jsNodeId: 'L_9-2',
      clerp: 'Output " John" − " Mary"',
    });
    expect(graph.nodes.find(({ node_id: id }) => id === '0_mlp_2')?.clerp).toBe('m0 · sums up');
  });

  it('has every edge as a link with its flow', () => {
    expect(graph.links.slice(0, 3)).toEqual([
      { source: 'E_6_1', target: '0_h1_2', weight: 0.5 },
      { source: '0_h1_2', target: '0_mlp_2', weight: -0.25 },
      { source: '0_mlp_2', target: '3_9_2', weight: 1.5 },
    ]);
  });

  it('has mechanisms as supernodes, and their members pinned', () => {
    expect(graph.qParams.supernodes).toEqual([['Name mover', '0_h1_2', '0_mlp_2', '3_9_2']]);
    expect(graph.qParams.pinnedIds).toEqual(['0_h1_2', '0_mlp_2', '3_9_2']);
    expect(graph.qParams).toMatchObject({ linkType: 'both', clickedId: '', sg_pos: '' });
  });

  it('has what the schema of Neuronpedia requires', () => {
    expect(graph.metadata).toMatchObject({
      slug: 'a-board',
      scan: 'toy',
      prompt: 'When Mary and',
      prompt_tokens: ['When', ' Mary', ' and'],
    });
    for (const node of graph.nodes) {
      expect(node).toMatchObject({
        node_id: expect.any(String),
        jsNodeId: expect.any(String),
        clerp: expect.any(String),
        ctx_idx: expect.any(Number),
      });
    }
    expect(new Set(graph.nodes.map(({ node_id: id }) => id)).size).toBe(graph.nodes.length);
  });

  it('comes back with the same mechanisms, labels, pins and links', () => {
    const back = readAttributionGraph(JSON.parse(JSON.stringify(graph)));
    expect(back.groups).toEqual([{ name: 'Name mover', members: ['a0.h1->m0->logits', 'a0.h1->m0'] }]);
    expect(back.labels).toEqual([{ anchor: 'm0', text: 'sums up' }]);
    expect(back.pinned).toEqual(['a0.h1', 'm0', 'logits']);
    expect(back.graph.links).toEqual(graph.links);
    expect(back.unnamed).toBe(0);
  });

  it('says of a flow without positions that they are together', () => {
    const { nodes } = writeAttributionGraph(
      source({ flow: flow({ 'input->a0.h1': 0.5, 'a0.h1->logits': 1 }), groups: [], labels: [], pinned: [] }),
    );
    expect(nodes.map(({ node_id: id, clerp }) => [id, clerp])).toEqual([
      ['E_input_2', 'input, all positions together'],
      ['0_h1_2', 'a0.h1, all positions together'],
      ['3_9_2', 'Output " John" − " Mary"'],
    ]);
  });

  it('counts the layers that names reach', () => {
    expect(layersOf([flow(PLACED), flow({ 'a11.h3->logits': 1 })])).toBe(12);
  });
});

/** As circuit-tracer writes them: features of a transcoder, reconstruction errors, embeddings, logits. */
const FOREIGN = {
  metadata: {
    slug: 'dallas-austin',
    scan: 'gemma-2-2b',
    transcoder_list: [],
    prompt_tokens: ['<bos>', 'Fact', ':'],
    prompt: '<bos>Fact:',
    node_threshold: 0.8,
    schema_version: 1,
  },
  qParams: {
    pinnedIds: ['5_12_2', 'E_7_1'],
    supernodes: [['capitals', '5_12_2', '7_3_2']],
    linkType: 'both',
    clickedId: '5_12_2',
    sg_pos: '',
  },
  nodes: [
    {
      node_id: 'E_7_1',
      feature: 1,
      layer: 'E',
      ctx_idx: 1,
      feature_type: 'embedding',
      token_prob: 0,
      is_target_logit: false,
      run_idx: 0,
      reverse_ctx_idx: 0,
      jsNodeId: 'E_7-1',
      clerp: '',
      influence: 0.4,
      activation: null,
    },
    {
      node_id: '5_12_2',
      feature: 165,
      layer: '5',
      ctx_idx: 2,
      feature_type: 'cross layer transcoder',
      token_prob: 0,
      is_target_logit: false,
      run_idx: 0,
      reverse_ctx_idx: 0,
      jsNodeId: '5_12-0',
      clerp: 'capital',
      influence: 0.5,
      activation: 9.4,
    },
    {
      node_id: '7_3_2',
      feature: 58,
      layer: '7',
      ctx_idx: 2,
      feature_type: 'cross layer transcoder',
      token_prob: 0,
      is_target_logit: false,
      run_idx: 0,
      reverse_ctx_idx: 0,
      jsNodeId: '7_3-0',
      clerp: '',
      influence: 0.6,
      activation: 3.5,
    },
    {
      node_id: '6_-1_2',
      feature: -1,
      layer: '6',
      ctx_idx: 2,
      feature_type: 'mlp reconstruction error',
      token_prob: 0,
      is_target_logit: false,
      run_idx: 0,
      reverse_ctx_idx: 0,
      jsNodeId: '6_-1-2',
      clerp: '',
      influence: 0.7,
      activation: null,
    },
    {
      node_id: '27_99_2',
      feature: 99,
      layer: '27',
      ctx_idx: 2,
      feature_type: 'logit',
      token_prob: 0.41,
      is_target_logit: true,
      run_idx: 0,
      reverse_ctx_idx: 0,
      jsNodeId: 'L_99-2',
      clerp: 'Output "Austin" (p=0.410)',
      influence: null,
      activation: null,
    },
  ],
  links: [
    { source: 'E_7_1', target: '5_12_2', weight: 12.96 },
    { source: '5_12_2', target: '7_3_2', weight: -0.5 },
    { source: '7_3_2', target: '27_99_2', weight: 3.25 },
  ],
};

describe('a graph from elsewhere', () => {
  it('is kept with every field, known or not', () => {
    const copy = structuredClone(FOREIGN);
    const { graph } = readAttributionGraph(copy);
    expect(JSON.parse(JSON.stringify(graph))).toEqual(FOREIGN);
  });

  it('takes no feature for a head or an MLP', () => {
    expect(readAttributionGraph(FOREIGN)).toMatchObject({ groups: [], pinned: [], labels: [], unnamed: 5 });
  });

  it('gives a mechanism for supernodes of heads and MLPs, without our extension too', () => {
    const graph = structuredClone(
      writeAttributionGraph(source({ groups: [{ id: 'group-001', name: 'Mover', members: ['a0.h1->m0'], createdAt: 0 }] })),
    );
    delete graph.pathboard;
    expect(readAttributionGraph(graph)).toMatchObject({ groups: [{ name: 'Mover', members: ['a0.h1', 'm0'] }], pinned: ['a0.h1', 'm0'] });
  });

  it.each<[string, (graph: typeof FOREIGN) => unknown, string]>([
    ['nothing', () => null, 'graph: expected an object'],
    ['no nodes', (graph) => ({ ...graph, nodes: undefined }), 'nodes: expected a list'],
    ['a node without an id', (graph) => ({ ...graph, nodes: [{ ctx_idx: 0 }] }), 'nodes[0].node_id: expected text'],
    ['an id twice', (graph) => ({ ...graph, nodes: [graph.nodes[0], graph.nodes[0]] }), 'nodes[1].node_id: expected each id once'],
    [
      'a link to nowhere',
      (graph) => ({ ...graph, links: [{ source: 'E_7_1', target: 'nowhere', weight: 1 }] }),
      'links[0].target: expected the id of a node',
    ],
    ['a weight that is none', (graph) => ({ ...graph, links: [{ ...graph.links[0], weight: '1' }] }), 'links[0].weight: expected a number'],
    ['supernodes of numbers', (graph) => ({ ...graph, qParams: { supernodes: [[1]] } }), 'qParams.supernodes[0]: expected text'],
  ])('with %s is refused with where and what', (_, change, message) => {
    expect(() => readAttributionGraph(change(FOREIGN))).toThrow(message);
  });
});
