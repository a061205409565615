import { withoutPositions } from '../engine/index.ts';
import { stopsOf, type FlowGraph } from './flow-graph.ts';

/** The same object of the model: what is hovered at token positions is a part of what stands without. */
export function isSame(hovered: string, anchor: string): boolean {
  return hovered === anchor || withoutPositions(hovered) === anchor;
}

/**
 * What somebody else's cursor lights: the same object, and, from a node or an edge between nodes, every path that goes
 * through it. A suffix is itself what stands for all paths that end in it.
 */
export function lights(hovered: string, anchor: string): boolean {
  if (isSame(hovered, anchor)) return true;
  const stops = stopsOf(hovered);
  const isPart = stops.length > 0 && stops.length <= 2 && stops.at(-1) !== 'logits';
  return isPart && !anchor.includes('@') && `->${stopsOf(anchor).join('->')}->`.includes(`->${stops.join('->')}->`);
}

/** Nodes and edges of a graph, by index. */
export interface Lit {
  nodes: ReadonlySet<number>;
  edges: ReadonlySet<number>;
}

const NOTHING: Lit = { nodes: new Set(), edges: new Set() };

/** What of the edges shown lies on a path, is an edge, or touches a node. */
export function litIn(graph: FlowGraph, visible: readonly number[], anchor: string | null): Lit {
  if (anchor === null) return NOTHING;
  const stops = stopsOf(anchor);
  const exact = anchor.includes('@') || anchor.startsWith('group:');
  if (stops.length < 2) return litByNode(graph, visible, (name) => (exact ? name === anchor : withoutPositions(name) === stops[0]));
  const steps = new Set(stops.slice(1).map((stop, index) => `${stops[index]}->${stop}`));
  const edges = visible.filter((index) => {
    const { name } = graph.edges[index]!;
    return exact ? name === anchor : steps.has(withoutPositions(name));
  });
  return { edges: new Set(edges), nodes: touched(graph, edges) };
}

function litByNode(graph: FlowGraph, visible: readonly number[], isMeant: (name: string) => boolean): Lit {
  const nodes = new Set(graph.nodes.flatMap(({ name }, index) => (isMeant(name) ? [index] : [])));
  if (nodes.size === 0) return NOTHING;
  return { nodes, edges: new Set(visible.filter((index) => nodes.has(graph.edges[index]!.from) || nodes.has(graph.edges[index]!.to))) };
}

function touched({ edges }: FlowGraph, indices: readonly number[]): Set<number> {
  return new Set(indices.flatMap((index) => [edges[index]!.from, edges[index]!.to]));
}
