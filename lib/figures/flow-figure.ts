import { handlesOf } from '../graph/curve.ts';
import type { FlowGraph, GraphNode } from '../graph/flow-graph.ts';
import type { Layout } from '../graph/layout.ts';
import type { Column } from './columns.ts';
import { AXIS, INK, RULE, SOFT, frame, round, shortened } from './drawing.ts';
import { markup, type Markup } from './markup.ts';
import { formatShare, formatSigned } from './numbers.ts';

/** The graph of the flow [M26] as an SVG document, as it is shown: the same edges, widths and signs as on the screen. */

export interface FlowFigure {
  graph: FlowGraph;
  layout: Layout;
  edges: readonly number[];
  nodes: readonly boolean[];
  labels: readonly string[];
  /** of columns: tokens, or heads */
  columns: readonly string[];
  title: string;
  xTitle: string;
  yTitle: string;
  metric: number;
}

const MARGIN = { left: 72, right: 16, top: 16, bottom: 84 };
const STROKE = { up: 'stroke:var(--positive,#1f6fb2)', down: 'stroke:var(--negative,#b9540b)' };
/** Edges told in words. */
const TOLD = 12;

export function flowFigure(figure: FlowFigure): string {
  const { layout, edges, nodes, title, graph, metric } = figure;
  const width = round(layout.width + MARGIN.left + MARGIN.right);
  const height = round(layout.height + MARGIN.top + MARGIN.bottom);
  const told = edges.slice(0, TOLD).map((index) => `${graph.edges[index]!.name} ${formatSigned(graph.edges[index]!.value)}`);
  const text = `${edges.length} edges, the largest: ${told.join('; ')}. The metric is ${formatSigned(metric)}.`;
  return frame({ id: 'flow', title, text, width, height, least: Math.min(width, 480) }, [
    axes(figure),
    edges.toReversed().map((index) => edgeOf(figure, index)),
    nodes.map((isShown, index) => isShown && nodeOf(figure, index)),
  ]).toString();
}

function axes({ layout, columns, xTitle, yTitle }: FlowFigure): Markup[] {
  const bottom = MARGIN.top + layout.height;
  const rows = layout.rows.map(({ label, y }) => {
    const at = round(MARGIN.top + y);
    return markup`<line x1="${MARGIN.left}" x2="${round(MARGIN.left + layout.width)}" y1="${at}" y2="${at}" style="${RULE}"/><text x="${MARGIN.left - 8}" y="${at + 4}" text-anchor="end" style="${SOFT}">${label}</text>`;
  });
  const names = layout.columns.map(({ x, index }) => {
    const at = round(MARGIN.left + x);
    return markup`<text transform="translate(${at + 4} ${bottom + 8}) rotate(-60)" text-anchor="end" style="${INK};font-family:ui-monospace,monospace;font-size:11px">${shortened(columns[index] ?? '', 12)}</text>`;
  });
  return [
    ...rows,
    ...names,
    markup`<line x1="${MARGIN.left}" x2="${MARGIN.left}" y1="${MARGIN.top}" y2="${round(bottom)}" style="${AXIS}"/>
<text x="${round(MARGIN.left + layout.width / 2)}" y="${round(bottom + MARGIN.bottom - 6)}" text-anchor="middle" style="${SOFT}">${xTitle}</text>
<text transform="translate(14 ${round(MARGIN.top + layout.height / 2)}) rotate(-90)" text-anchor="middle" style="${SOFT}">${yTitle}</text>`,
  ];
}

function edgeOf({ graph, layout }: FlowFigure, index: number): Markup {
  const { from, to, value, name } = graph.edges[index]!;
  const scale = Math.abs(graph.edges[0]!.value);
  const [x1, y1] = [round(MARGIN.left + layout.x[from]!), round(MARGIN.top + layout.y[from]!)];
  const [x2, y2] = [round(MARGIN.left + layout.x[to]!), round(MARGIN.top + layout.y[to]!)];
  const [first, second] = handlesOf(y1, y2).map(round) as [number, number];
  const width = round(0.7 + (6.3 * Math.abs(value)) / scale);
  const opacity = round(0.28 + 0.67 * Math.sqrt(Math.abs(value) / scale));
  return markup`<path d="M${x1} ${y1}C${x1} ${first} ${x2} ${second} ${x2} ${y2}" fill="none" style="${value > 0 ? STROKE.up : STROKE.down};stroke-width:${width};opacity:${opacity}"><title>${name}: ${formatSigned(value)}</title></path>`;
}

function nodeOf({ graph, layout, labels }: FlowFigure, index: number): Markup {
  const node = graph.nodes[index]!;
  const [x, y] = [round(MARGIN.left + layout.x[index]!), round(MARGIN.top + layout.y[index]!)];
  return markup`<g><title>${node.name}${node.value === null ? '' : `: ${formatSigned(node.value)}`}</title>${shapeOf(node, x, y)}<text x="${x}" y="${y + 15}" text-anchor="middle" style="${INK};font-size:9px">${shortened(labels[index]!, 16)}</text></g>`;
}

function shapeOf({ node, members }: GraphNode, x: number, y: number): Markup {
  const paper = 'fill:var(--paper,#fff);stroke:var(--ink,#1b1d1f);stroke-width:1.25';
  if (members) return markup`<rect x="${x - 10}" y="${y - 5}" width="20" height="10" rx="5" style="${INK}"/>`;
  if (node.kind === 'mlp') return markup`<rect x="${x - 4.5}" y="${y - 4.5}" width="9" height="9" style="${INK}"/>`;
  if (node.kind.endsWith('bias')) return markup`<path d="M${x} ${y - 4.5}l4.5 4.5l-4.5 4.5l-4.5 -4.5z" style="${paper}"/>`;
  return markup`<circle cx="${x}" cy="${y}" r="${node.kind === 'logits' ? 6.5 : 4.5}" style="${node.kind === 'input' ? paper : INK}"/>`;
}

export interface FlowRow {
  from: string;
  fromToken: string;
  to: string;
  toToken: string;
  value: number;
  share: number;
  count: number;
}

/** The edges that are shown, the largest first, for tables and files. */
export function flowRows({ graph, edges, columns, metric }: Pick<FlowFigure, 'graph' | 'edges' | 'columns' | 'metric'>): FlowRow[] {
  const tokenOf = ({ position }: GraphNode) => (position === null || graph.by === 'head' ? '' : (columns[position] ?? ''));
  return edges.map((index) => {
    const { from, to, value, count } = graph.edges[index]!;
    const [a, b] = [graph.nodes[from]!, graph.nodes[to]!];
    return { from: a.name, fromToken: tokenOf(a), to: b.name, toToken: tokenOf(b), value, share: value / metric, count };
  });
}

export const FLOW_COLUMNS: Column<FlowRow>[] = [
  { key: 'from', title: 'from', unit: null, read: (row) => row.from },
  { key: 'fromToken', title: 'token', unit: null, read: (row) => row.fromToken },
  { key: 'to', title: 'to', unit: null, read: (row) => row.to },
  { key: 'toToken', title: 'token', unit: null, read: (row) => row.toToken },
  { key: 'value', title: 'flow', unit: 'logits', format: formatSigned, read: (row) => row.value },
  { key: 'share', title: 'share of the metric', unit: null, format: (share) => formatShare(share, 1), read: (row) => row.share },
  { key: 'count', title: 'edges', unit: null, format: String, read: (row) => row.count },
];
