import { expect, it } from 'vitest';
import { answerTo } from '../../server/testing/fake-engine.ts';
import type { Answer } from '../engine/index.ts';
import { readEapGraph, writeEapGraph } from './eap-graph.ts';

/** EAP-IG's own JSON, there and back. */

const EDGES = {
  'input->a0.h0<q>': 0.1,
  'input->a0.h0<v>': -0.5,
  'input->m0': 0.2,
  'a0.h0->m0': 0.3,
  'm0->logits': 2,
  'input->logits': -0.05,
};
const answer = (edges: Record<string, number> = EDGES): Answer => ({
  ...answerTo({ view: 'attribution', model: 'toy' }),
  terms: Object.entries(edges).map(([name, value]) => ({ name, value })),
});
const MODEL = { layers: 1, heads: 1, dModel: 4 };

it('has configuration, nodes and edges under the names that EAP-IG gives them', () => {
  const graph = writeEapGraph(answer(), MODEL, new Set(['input->m0', 'm0->logits']));
  expect(graph).toEqual({
    cfg: { n_layers: 1, n_heads: 1, parallel_attn_mlp: false, d_model: 4 },
    nodes: { input: { in_graph: true }, 'a0.h0': { in_graph: false }, m0: { in_graph: true }, logits: { in_graph: true } },
    edges: {
      'input->a0.h0<q>': { score: 0.1, in_graph: false },
      'input->a0.h0<v>': { score: -0.5, in_graph: false },
      'input->m0': { score: 0.2, in_graph: true },
      'a0.h0->m0': { score: 0.3, in_graph: false },
      'm0->logits': { score: 2, in_graph: true },
      'input->logits': { score: -0.05, in_graph: false },
    },
  });
});

it('tells parallel blocks from blocks in a row', () => {
  const { 'a0.h0->m0': _, ...parallel } = EDGES;
  expect(writeEapGraph(answer(parallel), MODEL, null).cfg.parallel_attn_mlp).toBe(true);
});

it('comes back as the edges that are in the graph, largest first', () => {
  const graph = writeEapGraph(answer(), MODEL, new Set(['input->m0', 'm0->logits', 'input->a0.h0<v>']));
  const read = readEapGraph(JSON.parse(JSON.stringify(graph)));
  expect(read.graph).toEqual(graph);
  expect(read.edges).toEqual([
    { name: 'm0->logits', score: 2 },
    { name: 'input->a0.h0<v>', score: -0.5 },
    { name: 'input->m0', score: 0.2 },
  ]);
});

it('is of an attribution run alone', () => {
  expect(() => writeEapGraph(answerTo({ view: 'flow', model: 'toy' }), MODEL, null)).toThrow('expected an attribution run, got flow');
});

it.each<[unknown, string]>([
  [[], 'graph: expected an object'],
  [{ cfg: {}, nodes: {}, edges: {} }, 'cfg.n_layers: expected a whole number'],
  [{ cfg: { n_layers: 1, n_heads: 1 }, nodes: { x: { in_graph: true } }, edges: {} }, 'nodes: x: expected input, a0.h0, m0 or logits'],
  [{ cfg: { n_layers: 1, n_heads: 1 }, nodes: {}, edges: { 'input->a0.h0->logits': { score: 1, in_graph: true } } }, 'expected two nodes'],
  [{ cfg: { n_layers: 1, n_heads: 1 }, nodes: {}, edges: { 'input->logits': { in_graph: true } } }, 'score: expected a number'],
])('%j is refused with where and what', (value, message) => {
  expect(() => readEapGraph(value)).toThrow(message);
});
