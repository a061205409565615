'use client';
import { FLOW_COLUMNS, flowRows, type FlowFigure } from '@/lib/figures/flow-figure.ts';
import { cellText } from '@/lib/figures/columns.ts';
import { ScrollRegion } from '@/app/ui/scroll-region.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';

/** Edges told in a table. */
const MOST = 50;

/** The picture in words, for who does not see it or wants the numbers. */
export function GraphList({ label, figure }: { label: string; figure: FlowFigure }) {
  const { select, links } = useBoard();
  const { columns } = strings.graph;
  const [, , , , value, share] = FLOW_COLUMNS;
  const edges = figure.edges.slice(0, MOST);
  const rows = flowRows({ ...figure, edges });
  return (
    <details className="text-xs">
      <summary className="rounded-[2px] text-soft">{label}</summary>
      <ScrollRegion label={label}>
        <table className="mt-1 w-full max-w-[44rem]">
          <caption className="sr-only">{label}</caption>
          <thead>
            <tr className="border-b border-line text-2xs text-soft">
              {[columns.from, columns.to].map((name) => (
                <th key={name} scope="col" className="py-0.5 text-left font-normal">
                  {name}
                </th>
              ))}
              {[columns.value, columns.share].map((name) => (
                <th key={name} scope="col" className="text-right font-normal">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="font-mono">
            {rows.map((row, index) => {
              const { name } = figure.graph.edges[edges[index]!]!;
              const isModel = !name.includes('group:');
              return (
                <tr
                  key={name}
                  data-edge={name}
                  onPointerEnter={() => links.hover(name)}
                  onPointerLeave={() => links.hover(null)}
                  className="border-b border-line"
                >
                  <td className="py-0.5">
                    {isModel ? (
                      <button
                        type="button"
                        onClick={() => select(name)}
                        className="min-h-6 rounded-[2px] text-left underline decoration-dotted underline-offset-2"
                      >
                        {row.from} {row.fromToken}
                      </button>
                    ) : (
                      row.from
                    )}
                  </td>
                  <td>
                    {row.to} {row.toToken}
                  </td>
                  <td className="text-right">{cellText(value!, row)}</td>
                  <td className="text-right text-soft">{cellText(share!, row)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </ScrollRegion>
    </details>
  );
}
