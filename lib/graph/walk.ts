import type { GraphEdge } from './flow-graph.ts';
import type { Layout } from './layout.ts';

export type Step = 'up' | 'down' | 'left' | 'right';

interface Shown {
  layout: Layout;
  edges: readonly GraphEdge[];
  /** indices of the edges shown, the largest first */
  visible: readonly number[];
  nodes: readonly boolean[];
}

/**
 * Where an arrow key leads from a node: up and down along the largest edge shown, to the left and right to the next
 * node shown at the same height. Null where nothing is.
 */
export function walked(shown: Shown, at: number, step: Step): number | null {
  return step === 'up' || step === 'down' ? along(shown, at, step) : beside(shown, at, step);
}

/** Where walking begins: the end of the largest edge, `logits` if it is there. */
export function startOf({ edges, visible, layout }: Shown): number | null {
  let highest: number | null = null;
  for (const index of visible) {
    const { to } = edges[index]!;
    if (highest === null || layout.y[to]! < layout.y[highest]!) highest = to;
  }
  return highest;
}

function along({ edges, visible }: Shown, at: number, step: 'up' | 'down'): number | null {
  for (const index of visible) {
    const { from, to } = edges[index]!;
    if (step === 'up' && from === at) return to;
    if (step === 'down' && to === at) return from;
  }
  return null;
}

function beside({ layout: { x, y }, nodes }: Shown, at: number, step: 'left' | 'right'): number | null {
  const direction = step === 'right' ? 1 : -1;
  let nearest: number | null = null;
  for (let index = 0; index < x.length; index++) {
    const away = direction * (x[index]! - x[at]!);
    if (!nodes[index] || index === at || Math.abs(y[index]! - y[at]!) > 1 || away <= 0) continue;
    if (nearest === null || away < direction * (x[nearest]! - x[at]!)) nearest = index;
  }
  return nearest;
}
