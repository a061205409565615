import type { FlowGraph, GraphEdge } from './flow-graph.ts';

/** Which edges are shown: those of at least some |value|, of a sign or at pinned nodes. */

export const SHOWN = ['all', 'positive', 'negative', 'pinned'] as const;
export type ShownEdges = (typeof SHOWN)[number];

/** Edges that are shown at first. */
const AT_FIRST = 300;
export const STEPS = 1000;

/** The |value| at which the largest few hundred edges are shown. */
export function firstThreshold({ edges }: Pick<FlowGraph, 'edges'>): number {
  return Math.abs(edges[Math.min(AT_FIRST, edges.length) - 1]?.value ?? 0);
}

/** Where a threshold stands on the slider, 0…STEPS: even steps of the edges' order of magnitude; 0 shows every one. */
export function stepOf({ edges }: Pick<FlowGraph, 'edges'>, threshold: number): number {
  const { least, most } = rangeOf(edges);
  if (threshold <= least || most <= least) return 0;
  return Math.round((STEPS * Math.log(Math.min(threshold, most) / least)) / Math.log(most / least));
}

/** The threshold at a step of the slider, to three digits, rounded down so that the last step still shows the largest. */
export function thresholdAt({ edges }: Pick<FlowGraph, 'edges'>, step: number): number {
  const { least, most } = rangeOf(edges);
  if (step <= 0) return 0;
  const exact = least * (most / least) ** (step / STEPS);
  const unit = 10 ** (Math.floor(Math.log10(exact)) - 2);
  return Number((Math.floor(exact / unit + 1e-9) * unit).toPrecision(3));
}

function rangeOf(edges: readonly GraphEdge[]): { least: number; most: number } {
  return { least: Math.abs(edges.at(-1)?.value ?? 0), most: Math.abs(edges[0]?.value ?? 0) };
}

/** Null for what is no threshold. */
export function parseThreshold(text: string | null): number | null {
  if (text === null || !/^\d{1,9}(\.\d{1,12})?(e-?\d{1,2})?$/.test(text)) return null;
  return Number(text);
}

export interface Visible {
  /** indices of the edges shown, the largest first */
  edges: number[];
  /** by node, whether an edge shown touches it, or it is pinned */
  nodes: boolean[];
  /** what is not shown of all there is: flows, and their part of Σ|value| */
  hidden: { edges: number; share: number };
}

export function visibleOf(graph: FlowGraph, threshold: number, shown: ShownEdges, pins: ReadonlySet<string>): Visible {
  const { edges, extent } = graph;
  const nodes = graph.nodes.map(({ name }) => pins.has(name));
  const isPinned = [...nodes];
  const kept: number[] = [];
  let flows = 0;
  let mass = 0;
  for (const [index, { from, to, value, count }] of edges.entries()) {
    if (Math.abs(value) < threshold) break;
    if (shown === 'positive' ? value < 0 : shown === 'negative' ? value > 0 : shown === 'pinned' && !isPinned[from] && !isPinned[to])
      continue;
    kept.push(index);
    nodes[from] = true;
    nodes[to] = true;
    flows += count;
    mass += Math.abs(value);
  }
  const hidden = { edges: extent.edges - flows, share: extent.mass === 0 ? 0 : Math.max(0, 1 - mass / extent.mass) };
  return { edges: kept, nodes, hidden: hidden.edges <= 0 ? { edges: 0, share: 0 } : hidden };
}
