import { EngineError, isEngineError, parseNode, parsePath, type Answer } from '../engine/index.ts';

/** Graphs as EAP-IG's `Graph.to_json` writes them. Names of nodes and edges are the same as ours. */

export interface EapGraph {
  cfg: { n_layers: number; n_heads: number; parallel_attn_mlp: boolean; d_model: number; [more: string]: unknown };
  nodes: Record<string, { in_graph: boolean; score?: number }>;
  edges: Record<string, { score: number; in_graph: boolean }>;
}

export interface EapModel {
  layers: number;
  heads: number;
  dModel: number;
}

/** Edges of a graph that is read. */
const MOST = 2_000_000;

/**
 * From an `attribution` answer. `inGraph`: the edges of the circuit; null for all of them, which is a graph that nobody has
 * pruned.
 */
export function writeEapGraph(answer: Answer, model: EapModel, inGraph: ReadonlySet<string> | null): EapGraph {
  if (answer.view !== 'attribution') throw new EngineError('bad-request', 'EAP-IG graph', 'an attribution run', answer.view);
  const edges: EapGraph['edges'] = {};
  for (const { name, value } of answer.terms) {
    if (value !== undefined && name.split('->').length === 2)
      edges[name] = { score: value, in_graph: inGraph === null || inGraph.has(name) };
  }
  const kept = Object.entries(edges).filter(([, edge]) => edge.in_graph);
  const used = new Set(kept.flatMap(([name]) => endsOf(name)));
  const nodes: EapGraph['nodes'] = {};
  for (const name of new Set(Object.keys(edges).flatMap(endsOf))) nodes[name] = { in_graph: name === 'logits' || used.has(name) };
  return {
    cfg: { n_layers: model.layers, n_heads: model.heads, parallel_attn_mlp: isParallel(answer), d_model: model.dModel },
    nodes,
    edges,
  };
}

/** Heads and MLP of a layer that read the same stream have no edge between them. */
function isParallel({ terms }: Answer): boolean {
  const names = new Set(terms.map(({ name }) => name));
  return names.has('input->m0') && !names.has('a0.h0->m0');
}

export interface ReadEap {
  graph: EapGraph;
  /** the edges in the graph, largest |score| first */
  edges: { name: string; score: number }[];
}

/** @throws EngineError that says where and what was expected */
export function readEapGraph(value: unknown): ReadEap {
  const graph = object(value, 'graph');
  const cfg = object(graph['cfg'], 'cfg');
  for (const field of ['n_layers', 'n_heads'] as const)
    if (!Number.isSafeInteger(cfg[field])) throw wrong(`cfg.${field}`, 'a whole number', cfg[field]);
  for (const [name, item] of Object.entries(object(graph['nodes'], 'nodes'))) {
    known(() => parseNode(name), `nodes: ${name}`, 'input, a0.h0, m0 or logits', name);
    const node = object(item, `nodes: ${name}`);
    if (typeof node['in_graph'] !== 'boolean') throw wrong(`nodes: ${name}: in_graph`, 'true or false', node['in_graph']);
  }
  const all = Object.entries(object(graph['edges'], 'edges'));
  if (all.length > MOST) throw wrong('edges', `at most ${MOST}`, all.length);
  const edges = all.flatMap(([name, item]) => {
    const { length } = known(() => parsePath(name), `edges: ${name}`, 'an edge such as a0.h0->m1', name);
    if (length !== 2) throw wrong(`edges: ${name}`, 'two nodes', name);
    const edge = object(item, `edges: ${name}`);
    if (typeof edge['score'] !== 'number' || !Number.isFinite(edge['score']))
      throw wrong(`edges: ${name}: score`, 'a number', edge['score']);
    if (typeof edge['in_graph'] !== 'boolean') throw wrong(`edges: ${name}: in_graph`, 'true or false', edge['in_graph']);
    return edge['in_graph'] ? [{ name, score: edge['score'] }] : [];
  });
  edges.sort((a, b) => Math.abs(b.score) - Math.abs(a.score));
  return { graph: graph as unknown as EapGraph, edges };
}

function endsOf(edge: string): string[] {
  return edge.split('->').map((name) => name.replace(/<[qkv]>$/, ''));
}

function known<T>(parse: () => T, where: string, expected: string, got: string): T {
  try {
    return parse();
  } catch (error) {
    if (isEngineError(error)) throw wrong(where, expected, got);
    throw error;
  }
}

function object(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw wrong(where, 'an object', value);
}

function wrong(where: string, expected: string, got: unknown): EngineError {
  return new EngineError('bad-request', `EAP-IG graph: ${where}`, expected, (JSON.stringify(got) ?? 'nothing').slice(0, 200));
}
