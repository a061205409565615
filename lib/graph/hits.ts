import { distanceTo } from './curve.ts';
import type { GraphEdge } from './flow-graph.ts';
import type { Layout } from './layout.ts';

/** What lies under a point, in the layout's pixels. */
export type Hit = { kind: 'node'; index: number } | { kind: 'edge'; index: number } | null;

interface Shown {
  layout: Layout;
  edges: readonly GraphEdge[];
  /** indices of the edges that are drawn, the largest first */
  visible: readonly number[];
  /** by node, whether it is drawn */
  nodes: readonly boolean[];
}

/** A node is found so far from its middle at most, at any zoom, so that edges between two rows can be found. */
const MOST_AWAY = 24;

/** A node where one is near enough, else the nearest edge, of several equally near the largest. */
export function hitOf({ layout, edges, visible, nodes }: Shown, x: number, y: number, reach: number): Hit {
  const node = nearestNode(layout, nodes, x, y, 1.6 * reach);
  if (node !== null) return { kind: 'node', index: node };
  let nearest: number | null = null;
  let least = reach;
  for (const index of visible) {
    const { from, to } = edges[index]!;
    const distance = distanceTo(x, y, layout.x[from]!, layout.y[from]!, layout.x[to]!, layout.y[to]!);
    if (distance < least) {
      least = distance;
      nearest = index;
    }
  }
  return nearest === null ? null : { kind: 'edge', index: nearest };
}

function nearestNode({ x: xs, y: ys }: Layout, shown: readonly boolean[], x: number, y: number, reach: number): number | null {
  let nearest: number | null = null;
  let least = Math.min(reach, MOST_AWAY);
  for (let index = 0; index < xs.length; index++) {
    if (Math.abs(ys[index]! - y) > least || !shown[index]) continue;
    const distance = Math.hypot(xs[index]! - x, ys[index]! - y);
    if (distance >= least) continue;
    least = distance;
    nearest = index;
  }
  return nearest;
}
