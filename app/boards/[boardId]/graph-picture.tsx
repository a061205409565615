'use client';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { RunAnswer } from '@/lib/engine/index.ts';
import { tableCsv, tableText, fileStem } from '@/lib/figures/csv.ts';
import { FLOW_COLUMNS, flowFigure, flowRows } from '@/lib/figures/flow-figure.ts';
import { formatCount } from '@/lib/figures/numbers.ts';
import { tokenNames } from '@/lib/graph/words.ts';
import type { ModelSummary } from '@/lib/wire.ts';
import { ExportBar } from '@/app/ui/export-bar.tsx';
import { strings } from '@/app/ui/strings.ts';
import { GraphBar } from './graph-bar.tsx';
import { GraphLegend } from './graph-legend.tsx';
import { Lens } from './graph-lens.ts';
import { GraphList } from './graph-list.tsx';
import { GraphStage } from './graph-stage.tsx';
import { MechanismBar, MechanismForm } from './graph-mechanisms.tsx';
import { Pedigree } from './pedigree.tsx';
import { toggled, useGraph } from './use-graph.ts';
import { useSetting } from './use-setting.ts';

/** The graph of one answer, with everything that can be set about it. */
export function GraphPicture({ answer, model, selection }: { answer: RunAnswer; model: ModelSummary; selection: string | null }) {
  const state = useGraph(answer, model);
  const { graph, layout, visible, labels, pins } = state;
  const [at, setAt] = useSetting('graph', 'at');
  const lens = useLens(at, setAt);
  const frame = useRef<HTMLDivElement>(null);
  /** nodes chosen while G is held, and then waiting for a name */
  const [draft, setDraft] = useState<ReadonlySet<string>>(new Set());
  const [naming, setNaming] = useState<readonly string[] | null>(null);

  const words = strings.graph;
  const columns = useMemo(
    () =>
      graph.by === 'token' ? tokenNames(answer) : layout.columns.map(({ index }) => (index < model.heads ? `h${index}` : words.biasColumn)),
    [graph.by, answer, layout.columns, model.heads, words],
  );
  const figure = () => ({
    graph,
    layout,
    edges: visible.edges,
    nodes: visible.nodes,
    labels,
    columns,
    title: words.figure(answer.foil === null ? 'logit' : 'logit difference'),
    xTitle: graph.by === 'token' ? words.xToken : words.xHead,
    yTitle: words.y,
    metric: answer.metric,
  });
  const rows = () => flowRows(figure());

  return (
    <div ref={frame} className="flex min-h-0 flex-1 flex-col bg-paper">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-1.5">
        <GraphBar state={state} lens={lens} frame={frame} onGroup={() => setNaming([...pins])} />
        <span className="ml-auto">
          <ExportBar
            what={strings.views.graph}
            file={fileStem(answer)}
            text={() => tableText(FLOW_COLUMNS, rows())}
            csv={() => tableCsv(FLOW_COLUMNS, rows())}
            svg={() => flowFigure(figure())}
          />
        </span>
      </div>
      <MechanismBar mechanisms={state.mechanisms} onFold={state.fold} />
      {naming ? <MechanismForm members={naming} onDone={() => setNaming(null)} /> : null}
      <GraphStage
        state={state}
        lens={lens}
        answer={answer}
        columns={columns}
        selection={selection}
        draft={draft}
        onDraft={(name) => setDraft((before) => toggled(before, name))}
        onDrafted={() => {
          if (draft.size > 0) setNaming([...draft]);
          setDraft(new Set());
        }}
      />
      {visible.edges.length === 0 ? <p className="px-3 py-1 text-xs text-soft">{words.empty}</p> : null}
      <div className="grid grid-cols-[minmax(0,1fr)] gap-1 border-t border-line px-3 py-1.5">
        <GraphLegend graph={graph} />
        <GraphList label={words.list(formatCount(Math.min(visible.edges.length, 50)))} figure={figure()} />
        <details className="text-xs text-soft">
          <summary className="rounded-[2px]">{words.keysTitle}</summary>
          {words.keys}
        </details>
        <Pedigree answer={answer} />
      </div>
    </div>
  );
}

function useLens(at: string | null, setAt: (at: string | null) => void): Lens {
  const [lens] = useState(() => new Lens(at));
  useEffect(() => lens.whenStill(setAt));
  useEffect(() => () => lens.stop(), [lens]);
  return lens;
}
