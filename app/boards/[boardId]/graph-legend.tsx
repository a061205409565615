import { formatValue } from '@/lib/figures/numbers.ts';
import type { FlowGraph, GraphNode } from '@/lib/graph/flow-graph.ts';
import { strings } from '@/app/ui/strings.ts';
import { widthOf } from './graph-ink.ts';

const SHAPES = {
  input: 'M6 1.5a4.5 4.5 0 1 0 .01 0z',
  bias: 'M6 1.5l4.5 4.5l-4.5 4.5l-4.5 -4.5z',
  head: 'M6 1.5a4.5 4.5 0 1 0 .01 0z',
  mlp: 'M1.5 1.5h9v9h-9z',
  mechanism: 'M4 3h4a3 3 0 0 1 0 6h-4a3 3 0 0 1 0 -6z',
} as const;
type Shape = keyof typeof SHAPES;
const ORDER = Object.keys(SHAPES) as Shape[];

function shapeOf({ node, members }: GraphNode): Shape {
  if (members) return 'mechanism';
  if (node.kind === 'input' || node.kind === 'mlp') return node.kind;
  return node.kind === 'head' || node.kind === 'logits' ? 'head' : 'bias';
}

/** What colours, widths and shapes mean. */
export function GraphLegend({ graph }: { graph: FlowGraph }) {
  const words = strings.graph.legend;
  const scale = Math.abs(graph.edges[0]?.value ?? 0);
  const shapes = [...new Set(graph.nodes.map(shapeOf))].toSorted((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
  return (
    <ul aria-label={words.title} className="flex flex-wrap items-center gap-x-4 gap-y-0.5 text-2xs text-soft">
      <li className="flex items-center gap-1.5">
        <Line look="bg-positive" width={3} /> {words.positive}
      </li>
      <li className="flex items-center gap-1.5">
        <Line look="bg-negative" width={3} /> {words.negative}
      </li>
      {scale > 0
        ? [1, 0.3].map((part) => (
            <li key={part} className="flex items-center gap-1.5">
              <Line look="bg-ink" width={widthOf(part * scale, scale)} /> {words.width(formatValue(part * scale))}
            </li>
          ))
        : null}
      {shapes.map((shape) => (
        <li key={shape} className="flex items-center gap-1">
          <svg width="12" height="12" aria-hidden="true">
            <path
              d={SHAPES[shape]}
              strokeWidth="1.25"
              className={`stroke-ink ${shape === 'input' || shape === 'bias' ? 'fill-paper' : 'fill-ink'}`}
            />
          </svg>
          {words[shape]}
        </li>
      ))}
    </ul>
  );
}

function Line({ look, width }: { look: string; width: number }) {
  return <span aria-hidden="true" className={`inline-block w-6 ${look}`} style={{ height: Math.max(1, width) }} />;
}
