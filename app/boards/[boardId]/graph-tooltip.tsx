'use client';
import { formatCount, formatShare, formatSigned } from '@/lib/figures/numbers.ts';
import type { Size } from '@/lib/graph/camera.ts';
import type { GraphNode } from '@/lib/graph/flow-graph.ts';
import type { Hit } from '@/lib/graph/hits.ts';
import { placeOf } from '@/lib/graph/words.ts';
import { strings } from '@/app/ui/strings.ts';
import { outlineOf } from './links.ts';
import { useBoard } from './board-context.tsx';
import type { GraphState } from './use-graph.ts';

export interface Pointed {
  hit: NonNullable<Hit>;
  /** pixels of the view, and its size */
  x: number;
  y: number;
  view: Size;
}

/** Pixels from the cursor. */
const AWAY = 12;

interface GraphTooltipProps {
  pointed: Pointed;
  state: GraphState;
  columns: readonly string[];
  metric: number;
}

/** What is under the cursor: names, value and share. */
export function GraphTooltip({ pointed: { hit, x, y, view }, state: { graph, mechanisms }, columns, metric }: GraphTooltipProps) {
  const { links } = useBoard();
  const words = strings.graph;
  const nameOf = (node: GraphNode) => nodeWords(node, columns, mechanisms);
  const edge = hit.kind === 'edge' ? graph.edges[hit.index]! : null;
  const node = hit.kind === 'node' ? graph.nodes[hit.index]! : null;
  const value = edge?.value ?? node?.value ?? null;
  const others = links.others.get(edge?.name ?? node?.name ?? '') ?? [];
  return (
    <div
      role="tooltip"
      data-testid="graph-tooltip"
      className="pointer-events-none absolute z-10 w-max max-w-72 rounded-[3px] border border-strong bg-paper px-2 py-1 text-xs shadow-sm"
      style={{
        ...(x > view.width / 2 ? { right: view.width - x + AWAY } : { left: x + AWAY }),
        ...(y > view.height / 2 ? { bottom: view.height - y + AWAY } : { top: y + AWAY }),
      }}
    >
      <p className="name">{edge ? words.edge(nameOf(graph.nodes[edge.from]!), nameOf(graph.nodes[edge.to]!)) : nameOf(node!)}</p>
      {value === null ? null : (
        <p>
          <span className="text-soft">{edge ? words.flow : words.through} </span>
          <b className="font-mono font-semibold">{formatSigned(value)}</b>
          <span className="text-soft"> · {words.ofMetric(formatShare(value, metric))}</span>
        </p>
      )}
      {edge && edge.count > 1 ? <p className="text-soft">{words.sumOf(formatCount(edge.count))}</p> : null}
      {others.map(({ id, name }) => (
        <p key={id} style={{ color: outlineOf(others) ?? undefined }}>
          {name}
        </p>
      ))}
    </div>
  );
}

/** A node as it is read: its name, and the token that it stands at. */
export function nodeWords(node: GraphNode, columns: readonly string[], mechanisms: GraphState['mechanisms']): string {
  if (node.members) return mechanisms.find(({ anchor }) => anchor === node.name)?.name ?? node.name;
  const { name, position } = placeOf(node);
  return position === null ? name : strings.graph.atToken(name, columns[position] ?? '', position);
}
