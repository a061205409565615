import type { Node } from '../engine/index.ts';
import type { FlowGraph, GraphNode } from './flow-graph.ts';

/** Where everything of a graph stands, in pixels at zoom 1: tokens or heads from left to right, layers from below upwards. */

export interface Column {
  /** its number: a token's position, or a head */
  index: number;
  x: number;
  width: number;
}

export interface Row {
  label: string;
  y: number;
}

export interface Layout {
  width: number;
  height: number;
  columns: readonly Column[];
  /** from below */
  rows: readonly Row[];
  /** by node */
  x: Float64Array;
  y: Float64Array;
}

export interface Sizes {
  layers: number;
  heads: number;
  hasMlp: boolean;
  /** tokens up to the one that is read */
  tokens: number;
}

/** Height of a row: what makes the whole about half as high as it is wide, within limits. */
const ROW = { least: 96, most: 260, shape: 0.5 } as const;
const GAP = 18;
const MIN_COLUMN = 40;
const COLUMN_PADDING = 14;
/** A bias stands so much of a row below the nodes of its block, so that what it gives them goes upwards, too. */
const BIAS_DROP = 0.3;

export function layoutOf(graph: Pick<FlowGraph, 'by' | 'nodes'>, sizes: Sizes): Layout {
  const labels = rowLabels(sizes);
  const columns = graph.by === 'token' ? tokenColumns(graph.nodes, sizes) : headColumns(sizes);
  const last = columns.at(-1)!;
  const width = last.x + last.width / 2;
  const step = Math.round(Math.min(ROW.most, Math.max(ROW.least, (ROW.shape * width) / labels.length)));
  const height = labels.length * step;
  const heightOf = (row: number) => height - (row + 0.5) * step;
  const placed = graph.by === 'token' ? placesInColumns(graph.nodes, sizes, columns) : null;
  return {
    width,
    height,
    columns,
    rows: labels.map((label, row) => ({ label, y: heightOf(row) })),
    x: Float64Array.from(graph.nodes, ({ node }, index) => (placed ? placed[index]! : headPlace(node, sizes, columns))),
    y: Float64Array.from(graph.nodes, ({ node }) => heightOf(rowOf(node, sizes)) + (isBias(node) ? BIAS_DROP * step : 0)),
  };
}

/** Number of the row that a node stands in, from below. */
export function rowOf(node: Node, { layers, hasMlp }: Pick<Sizes, 'layers' | 'hasMlp'>): number {
  const step = hasMlp ? 2 : 1;
  switch (node.kind) {
    case 'input':
      return 0;
    case 'head':
    case 'attn-bias':
      return 1 + node.layer * step;
    case 'mlp':
    case 'mlp-bias':
      return 2 + node.layer * step;
    default:
      return 1 + layers * step;
  }
}

/** From below. */
function rowLabels({ layers, hasMlp }: Sizes): string[] {
  const blocks = Array.from({ length: layers }, (_, layer) => [`a${layer}`, ...(hasMlp ? [`m${layer}`] : [])]);
  return ['input', ...blocks.flat(), 'logits'];
}

function isBias({ kind }: Node): boolean {
  return kind === 'attn-bias' || kind === 'mlp-bias' || kind === 'logits-bias';
}

/** Heads by their number, then what else stands in the row. */
function orderOf(node: Node): number {
  if (node.kind === 'head') return node.head;
  return isBias(node) ? Number.MAX_SAFE_INTEGER : -1;
}

/** Nodes of a row that stand at the same token, by `row position`. */
function cellsOf(nodes: readonly GraphNode[], sizes: Sizes): Map<string, number[]> {
  const cells = new Map<string, number[]>();
  nodes.forEach(({ node, position }, index) => {
    const key = `${rowOf(node, sizes)} ${position ?? sizes.tokens - 1}`;
    const cell = cells.get(key);
    if (cell) cell.push(index);
    else cells.set(key, [index]);
  });
  for (const cell of cells.values()) cell.sort((a, b) => orderOf(nodes[a]!.node) - orderOf(nodes[b]!.node));
  return cells;
}

function tokenColumns(nodes: readonly GraphNode[], sizes: Sizes): Column[] {
  const most = new Array<number>(sizes.tokens).fill(1);
  for (const [key, cell] of cellsOf(nodes, sizes)) {
    const position = Number(key.split(' ')[1]);
    most[position] = Math.max(most[position] ?? 1, cell.length);
  }
  return columnsOf(most.map((count) => Math.max(MIN_COLUMN, count * GAP + COLUMN_PADDING)));
}

/** One a head, one for the biases. */
function headColumns({ heads }: Sizes): Column[] {
  return columnsOf(new Array<number>(heads + 1).fill(MIN_COLUMN));
}

function columnsOf(widths: readonly number[]): Column[] {
  let left = 0;
  return widths.map((width, index) => {
    left += width;
    return { index, x: left - width / 2, width };
  });
}

function placesInColumns(nodes: readonly GraphNode[], sizes: Sizes, columns: readonly Column[]): Float64Array {
  const x = new Float64Array(nodes.length);
  for (const [key, cell] of cellsOf(nodes, sizes)) {
    const column = columns[Number(key.split(' ')[1])]!;
    cell.forEach((index, place) => {
      x[index] = column.x + (place - (cell.length - 1) / 2) * GAP;
    });
  }
  return x;
}

function headPlace(node: Node, { heads }: Sizes, columns: readonly Column[]): number {
  if (node.kind === 'head') return columns[node.head]!.x;
  if (node.kind === 'attn-bias') return columns[heads]!.x;
  const middle = (heads * MIN_COLUMN) / 2;
  return isBias(node) ? middle + MIN_COLUMN : middle;
}
