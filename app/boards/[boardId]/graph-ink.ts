import { handlesOf } from '@/lib/graph/curve.ts';
import type { FlowGraph, GraphNode } from '@/lib/graph/flow-graph.ts';
import type { Layout } from '@/lib/graph/layout.ts';
import { colour } from '@/app/ui/png.ts';

/** How nodes and edges are drawn on a canvas. */

export interface Inks {
  positive: string;
  negative: string;
  ink: string;
  soft: string;
  paper: string;
  line: string;
  chosen: string;
}

/** The page's colours as they are now; a canvas knows no custom property. */
export function inksOfPage(): Inks {
  return {
    positive: colour('--positive'),
    negative: colour('--negative'),
    ink: colour('--ink'),
    soft: colour('--ink-soft'),
    paper: colour('--paper'),
    line: colour('--line'),
    chosen: colour('--chosen'),
  };
}

export interface Picture {
  graph: FlowGraph;
  layout: Layout;
  /** indices of edges that are shown, the largest first */
  edges: readonly number[];
  nodes: readonly boolean[];
  /** short names of nodes */
  labels: readonly string[];
  /** the largest |value| */
  scale: number;
}

const WIDTH = { least: 0.7, most: 7 };
const ALPHA = { least: 0.28, most: 0.95 };
export const NODE_SIZE = 4.5;
/** Names stand below nodes once there is so much room between two. */
const NAMED_ZOOM = 1.15;
export const LABEL_FONT = '10px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace';

/** In pixels of the screen at any zoom. */
export function widthOf(value: number, scale: number): number {
  return WIDTH.least + (WIDTH.most - WIDTH.least) * (Math.abs(value) / scale);
}

export function alphaOf(value: number, scale: number): number {
  return ALPHA.least + (ALPHA.most - ALPHA.least) * Math.sqrt(Math.abs(value) / scale);
}

/** Adds the curve of an edge to the current path, in the layout's pixels times `zoom` from (left, top). */
function curve(context: CanvasRenderingContext2D, { graph, layout }: Picture, edge: number, at: Origin): void {
  const { from, to } = graph.edges[edge]!;
  const x1 = layout.x[from]! * at.zoom - at.left;
  const y1 = layout.y[from]! * at.zoom - at.top;
  const x2 = layout.x[to]! * at.zoom - at.left;
  const y2 = layout.y[to]! * at.zoom - at.top;
  const [first, second] = handlesOf(y1, y2);
  context.moveTo(x1, y1);
  context.bezierCurveTo(x1, first, x2, second, x2, y2);
}

/** What of the zoomed plane stands at the canvas's corner. */
export interface Origin {
  zoom: number;
  left: number;
  top: number;
}

export function strokeEdge(
  context: CanvasRenderingContext2D,
  picture: Picture,
  edge: number,
  at: Origin,
  style: { colour: string; width: number; alpha: number },
): void {
  context.globalAlpha = style.alpha;
  context.lineWidth = style.width;
  context.strokeStyle = style.colour;
  context.beginPath();
  curve(context, picture, edge, at);
  context.stroke();
}

/** True unless the edge lies wholly outside a canvas of this size. */
export function isNear({ graph, layout }: Picture, edge: number, at: Origin, width: number, height: number): boolean {
  const { from, to } = graph.edges[edge]!;
  const [x1, x2] = [layout.x[from]! * at.zoom - at.left, layout.x[to]! * at.zoom - at.left];
  const [y1, y2] = [layout.y[from]! * at.zoom - at.top, layout.y[to]! * at.zoom - at.top];
  return Math.max(x1, x2) >= -8 && Math.min(x1, x2) <= width + 8 && Math.max(y1, y2) >= -8 && Math.min(y1, y2) <= height + 8;
}

/** A shape for each kind of node, and its name where there is room for names. */
export function drawNode(context: CanvasRenderingContext2D, picture: Picture, index: number, at: Origin, inks: Inks): void {
  const node = picture.graph.nodes[index]!;
  const x = picture.layout.x[index]! * at.zoom - at.left;
  const y = picture.layout.y[index]! * at.zoom - at.top;
  const size = NODE_SIZE * Math.min(1.4, Math.max(0.55, at.zoom));
  context.globalAlpha = 1;
  context.beginPath();
  outline(context, node, x, y, size);
  context.fillStyle = isHollow(node) ? inks.paper : inks.ink;
  context.fill();
  context.lineWidth = 1.25;
  context.strokeStyle = isHollow(node) ? inks.ink : inks.paper;
  context.stroke();
  if (at.zoom < NAMED_ZOOM && node.members === null && node.node.kind !== 'logits') return;
  label(context, picture.labels[index]!, x, y + size + 9, inks);
}

function label(context: CanvasRenderingContext2D, text: string, x: number, y: number, inks: Inks): void {
  context.font = LABEL_FONT;
  context.textAlign = 'center';
  context.lineWidth = 3;
  context.strokeStyle = inks.paper;
  context.strokeText(text, x, y);
  context.fillStyle = inks.ink;
  context.fillText(text, x, y);
}

/** Circles are heads, squares are MLPs, diamonds biases; hollow is where paths begin; a mechanism is wide. */
export function outline(context: CanvasRenderingContext2D, { node, members }: GraphNode, x: number, y: number, size: number): void {
  if (members !== null) context.roundRect(x - 2.2 * size, y - 1.2 * size, 4.4 * size, 2.4 * size, size);
  else if (node.kind === 'mlp') context.rect(x - size, y - size, 2 * size, 2 * size);
  else if (isHollow({ node, members }) && node.kind !== 'input') {
    context.moveTo(x, y - size);
    context.lineTo(x + size, y);
    context.lineTo(x, y + size);
    context.lineTo(x - size, y);
    context.closePath();
  } else context.arc(x, y, node.kind === 'logits' ? 1.4 * size : size, 0, 2 * Math.PI);
}

/** Sources that are no component: the embeddings and the biases. */
function isHollow({ node, members }: Pick<GraphNode, 'node' | 'members'>): boolean {
  return members === null && (node.kind === 'input' || node.kind.endsWith('bias'));
}
