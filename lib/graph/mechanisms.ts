import type { FlowGraph, GraphEdge, GraphNode } from './flow-graph.ts';
import type { Layout } from './layout.ts';

/** A mechanism as the graph needs it. */
export interface Mechanism {
  /** its anchor, `group:ID` */
  anchor: string;
  name: string;
  members: readonly string[];
}

/** Nodes of the graph that a mechanism holds, by index; a node without position stands for all of its positions. */
export function nodesOf(graph: Pick<FlowGraph, 'nodes'>, { members }: Pick<Mechanism, 'members'>): number[] {
  const wanted = new Set(members);
  return graph.nodes.flatMap(({ name }, index) => (wanted.has(name) || wanted.has(name.replace(/@\d+$/, '')) ? [index] : []));
}

/**
 * The graph with mechanisms as one node each, where they have nodes in it: edges that go in and out are sums, those
 * within are left out of the picture. A node goes to the first mechanism that has it.
 */
export function folded(graph: FlowGraph, mechanisms: readonly Mechanism[]): FlowGraph {
  const owners = new Map<number, Mechanism>();
  for (const mechanism of mechanisms) {
    for (const index of nodesOf(graph, mechanism)) if (!owners.has(index)) owners.set(index, mechanism);
  }
  if (owners.size === 0) return graph;
  const nodes: GraphNode[] = [];
  const places = new Map<string, number>();
  const moved = graph.nodes.map((node, index) => {
    const owner = owners.get(index);
    const name = owner?.anchor ?? node.name;
    const known = places.get(name);
    if (known !== undefined) return known;
    places.set(name, nodes.length);
    const members = owner && [...owners].filter(([, other]) => other === owner).map(([one]) => graph.nodes[one]!.name);
    return nodes.push(owner ? { ...node, name, value: null, members: members! } : node) - 1;
  });
  return { ...graph, nodes, edges: mergedEdges(graph.edges, moved, nodes) };
}

function mergedEdges(edges: readonly GraphEdge[], moved: readonly number[], nodes: readonly GraphNode[]): GraphEdge[] {
  const merged = new Map<string, GraphEdge>();
  for (const { from, to, value, count } of edges) {
    const [a, b] = [moved[from]!, moved[to]!];
    if (a === b) continue;
    const name = `${nodes[a]!.name}->${nodes[b]!.name}`;
    const known = merged.get(name);
    if (known) {
      known.value += value;
      known.count += count;
    } else merged.set(name, { name, from: a, to: b, value, count });
  }
  return [...merged.values()].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
}

/** Where the nodes of a folded graph stand: a mechanism in the middle of its nodes, everything else where it was. */
export function foldedLayout(whole: Pick<FlowGraph, 'nodes'>, layout: Layout, graph: Pick<FlowGraph, 'nodes'>): Layout {
  if (whole === graph) return layout;
  const places = new Map(whole.nodes.map(({ name }, index) => [name, index]));
  const meanOf = (from: Float64Array) =>
    Float64Array.from(graph.nodes, ({ name, members }) => {
      const own = (members ?? [name]).map((member) => from[places.get(member)!]!);
      return own.reduce((sum, value) => sum + value, 0) / own.length;
    });
  return { ...layout, x: meanOf(layout.x), y: meanOf(layout.y) };
}
