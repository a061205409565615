'use client';
import { useMemo } from 'react';
import { ofRun } from '@/lib/engine/index.ts';
import { columnsOf } from '@/lib/figures/columns.ts';
import { csvOf, fileStem, tableText } from '@/lib/figures/csv.ts';
import { degreeRows, degreesFigure } from '@/lib/figures/degrees.ts';
import { formatError, formatShare, formatSigned, formatValue } from '@/lib/figures/numbers.ts';
import { Button } from '@/app/ui/button.tsx';
import { ExportBar } from '@/app/ui/export-bar.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { ProgressLine } from '@/app/ui/progress-line.tsx';
import { ScrollRegion } from '@/app/ui/scroll-region.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { requestOf } from '@/app/ui/setup-request.ts';
import { useAnswer } from './use-answer.ts';

export function DegreesView() {
  const { setup } = useBoard();
  const { answer: given, progress, error, stale, retry } = useAnswer(requestOf(setup, 'degrees'));
  const answer = useMemo(() => given && ofRun(given), [given]);
  const figure = useMemo(() => (answer ? degreesFigure(answer) : ''), [answer]);
  const rows = answer ? degreeRows(answer) : [];

  return (
    <section aria-labelledby="degrees-heading" className="flex flex-col">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-2">
        <h2 id="degrees-heading" className="text-sm font-semibold">
          {strings.views.degrees}
        </h2>
        <KindBadge kind="identity" />
        <p className="min-w-0 flex-1 basis-64 text-xs text-soft">{strings.degrees.meaning}</p>
        {answer && !stale ? (
          <ExportBar
            what={strings.views.degrees}
            file={fileStem(answer)}
            text={() => tableText(columnsOf(answer), answer.terms)}
            csv={() => csvOf(answer)}
            svg={() => figure}
          />
        ) : null}
      </div>
      {error ? (
        <div className="p-3">
          <Fault>{error}</Fault>
          <Button small className="mt-2" onClick={retry}>
            {strings.common.tryAgain}
          </Button>
        </div>
      ) : null}
      {!answer || stale ? (
        error ? null : (
          <div className="p-3">
            <ProgressLine progress={progress} />
          </div>
        )
      ) : (
        <div className="grid gap-4 p-3">
          <ScrollRegion label={strings.degrees.chart}>
            <div dangerouslySetInnerHTML={{ __html: figure }} />
          </ScrollRegion>
          <table className="w-full max-w-[640px] text-sm">
            <caption className="sr-only">{strings.degrees.caption}</caption>
            <thead>
              <tr className="border-b border-line text-2xs text-soft">
                <th scope="col" className="py-1 text-left font-normal">
                  {strings.degrees.columns.degree}
                </th>
                <th scope="col" className="text-right font-normal">
                  {strings.degrees.columns.value}
                </th>
                <th scope="col" className="text-right font-normal">
                  {strings.degrees.columns.share}
                </th>
                <th scope="col" className="text-right font-normal">
                  {strings.degrees.columns.running}
                </th>
              </tr>
            </thead>
            <tbody className="font-mono text-xs">
              {rows.map((row) => (
                <tr key={row.degree} className="border-b border-line" data-degree={row.degree}>
                  <th scope="row" className="py-1 text-left font-normal">
                    {row.degree}
                  </th>
                  <td className="text-right">{formatSigned(row.value)}</td>
                  <td className="text-right text-soft">{formatShare(row.value, answer.metric)}</td>
                  <td className="text-right">{formatValue(row.running)}</td>
                </tr>
              ))}
            </tbody>
            <tfoot>
              <tr className="text-xs text-soft">
                <td colSpan={4} className="pt-1.5">
                  {strings.degrees.total(formatValue(answer.sum ?? 0), formatValue(answer.metric), formatError(answer.error ?? 0))}
                </td>
              </tr>
            </tfoot>
          </table>
        </div>
      )}
    </section>
  );
}
