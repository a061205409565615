import { parsePath, parsePlace, withoutPositions, type Answer, type Node } from '../engine/index.ts';

/** What the graph shows of a `flow` answer [M26]: nodes, or nodes at token positions, and what flows between them. */

export interface GraphNode {
  /** in the engine's grammar, or the anchor of a mechanism that stands as one node */
  name: string;
  node: Node;
  /** null without positions, and for `logits` */
  position: number | null;
  /** the sum of all paths through it; null where that is not known */
  value: number | null;
  /** what a mechanism holds, by name; null for a node by itself */
  members: readonly string[] | null;
}

export interface GraphEdge {
  name: string;
  /** indices of nodes */
  from: number;
  to: number;
  value: number;
  /** of how many flows it is the sum */
  count: number;
}

export interface FlowGraph {
  by: 'token' | 'head';
  nodes: readonly GraphNode[];
  /** the largest |value| first */
  edges: readonly GraphEdge[];
  extent: NonNullable<Answer['extent']>;
}

export function flowGraphOf({ terms, through = [], extent, settings }: Answer): FlowGraph {
  const by = settings?.['positions'] ? 'token' : 'head';
  const values = new Map(through.map(({ name, value }) => [name, value]));
  const nodes: GraphNode[] = [];
  const indices = new Map<string, number>();
  const indexOf = (name: string): number => {
    const known = indices.get(name);
    if (known !== undefined) return known;
    const { node, position } = by === 'token' ? parsePlace(name) : { node: parsePlaceless(name), position: null };
    indices.set(name, nodes.length);
    return nodes.push({ name, node, position, value: values.get(name) ?? null, members: null }) - 1;
  };
  const edges = terms
    .filter(({ value }) => value !== undefined && value !== 0)
    .map(({ name, value }): GraphEdge => {
      const [from, to] = name.split('->') as [string, string];
      return { name, from: indexOf(from), to: indexOf(to), value: value!, count: 1 };
    })
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const mass = edges.reduce((sum, { value }) => sum + Math.abs(value), 0);
  return { by, nodes, edges, extent: extent ?? { edges: edges.length, mass, unlisted: 0 } };
}

function parsePlaceless(name: string): Node {
  return parsePath(`${name}->logits`)[0]!.node;
}

/** Flows that the graph may compute between token positions before it stands by head unless asked otherwise. */
export const POSITIONS_LIMIT = 10_000_000;

/** Pairs of a writer at a key and a head at a query: what has to be computed for the graph by token. */
export function possibleFlows({ layers, heads, hasMlp }: { layers: number; heads: number; hasMlp: boolean }, tokens: number): number {
  const written = heads + 1 + Number(hasMlp);
  const writers = layers + (written * layers * (layers - 1)) / 2;
  return (heads * writers * tokens * (tokens + 1)) / 2;
}

/** The nodes of a path, suffix, edge or node, without positions; empty for what is none. */
export function stopsOf(anchor: string): string[] {
  return /^(?:group|token|run|claim):/.test(anchor)
    ? []
    : withoutPositions(anchor)
        .split('->')
        .map((stop) => stop.replace(/<[qkv]>$/, ''));
}
