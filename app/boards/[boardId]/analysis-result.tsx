'use client';
import { useMemo } from 'react';
import type { Answer } from '@/lib/engine/index.ts';
import { isModelAnchor } from '@/lib/board/anchors.ts';
import { DEFECT_COLUMNS, TAKEOVER_COLUMNS, columnsOf, exampleColumns, examplesOf, rankedBy, takeoversOf } from '@/lib/figures/columns.ts';
import { csvOf, fileStem, tableText } from '@/lib/figures/csv.ts';
import { figuresOf, PATTERN_LIMIT } from '@/lib/figures/term-figures.ts';
import { ExportBar } from '@/app/ui/export-bar.tsx';
import { strings } from '@/app/ui/strings.ts';
import { isAnalysisView } from './analyses.ts';
import { AnalysisFacts } from './analysis-facts.tsx';
import { useBoard } from './board-context.tsx';
import { FigureView } from './figure-view.tsx';
import { NumberGrid } from './number-grid.tsx';
import { Pedigree } from './pedigree.tsx';

/** Everything that an answer holds: how it adds up, its charts, its terms, and where it comes from. */
export function AnalysisResult({ answer }: { answer: Answer }) {
  const { select } = useBoard();
  const columns = useMemo(() => columnsOf(answer), [answer]);
  const figures = useMemo(() => figuresOf(answer), [answer]);
  const ranked = rankedBy(answer);
  const onSelect = (name: string) => (isModelAnchor(name) ? () => select(name) : null);
  const omitted = answer.terms.some(({ pattern }) => (pattern?.length ?? 0) > PATTERN_LIMIT);

  return (
    <div className="grid min-w-0 gap-4 p-3" data-testid="analysis-result">
      <div className="grid gap-1">
        <div className="flex flex-wrap items-center gap-2">
          <AnalysisFacts answer={answer} />
          <span className="ml-auto flex flex-wrap gap-1">
            <ExportBar
              what={isAnalysisView(answer.view) ? strings.analyses.titles[answer.view] : answer.view}
              file={fileStem(answer)}
              text={() => tableText(columns, answer.terms)}
              csv={() => csvOf(answer)}
            />
          </span>
        </div>
        <ul className="grid gap-0.5 text-xs text-soft">
          {answer.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
          {omitted ? <li>{strings.analyses.patternsOmitted}</li> : null}
        </ul>
        <Pedigree answer={answer} />
      </div>
      {figures.length > 0 ? (
        <div className="flex min-w-0 flex-wrap items-start gap-x-8 gap-y-4">
          {figures.map((figure) => (
            <FigureView key={figure.id} figure={figure} file={`${fileStem(answer)}.${figure.id}`} onSelect={onSelect} />
          ))}
        </div>
      ) : null}
      {answer.terms.length === 0 ? (
        <p className="text-sm text-soft">{strings.analyses.noTerms}</p>
      ) : (
        <NumberGrid
          label={strings.analyses.terms}
          columns={columns}
          rows={answer.terms}
          sorted={ranked === null ? null : { key: ranked, order: 'largest' }}
          onSelect={onSelect}
        />
      )}
      <MoreTables answer={answer} onSelect={onSelect} />
    </div>
  );
}

interface MoreTablesProps {
  answer: Answer;
  onSelect: (name: string) => (() => void) | null;
}

/** What some answers hold beside their terms. */
function MoreTables({ answer, onSelect }: MoreTablesProps) {
  const takeovers = useMemo(() => takeoversOf(answer), [answer]);
  const examples = useMemo(() => examplesOf(answer), [answer]);
  const columns = useMemo(() => exampleColumns(examples), [examples]);
  return (
    <>
      {answer.defects && answer.defects.length > 0 ? (
        <Titled title={strings.analyses.defects}>
          <NumberGrid label={strings.analyses.defects} columns={DEFECT_COLUMNS} rows={answer.defects} onSelect={onSelect} />
        </Titled>
      ) : null}
      {takeovers.length > 0 ? (
        <Titled title={strings.analyses.takeovers}>
          <NumberGrid label={strings.analyses.takeovers} columns={TAKEOVER_COLUMNS} rows={takeovers} onSelect={onSelect} />
        </Titled>
      ) : null}
      {examples.length > 0 ? (
        <Titled title={strings.analyses.examples}>
          <NumberGrid label={strings.analyses.examples} columns={columns} rows={examples} onSelect={() => null} />
        </Titled>
      ) : null}
    </>
  );
}

function Titled({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <div className="min-w-0">
      <h3 className="mb-1 text-xs font-semibold text-soft">{title}</h3>
      {children}
    </div>
  );
}
