'use client';
import { useMemo } from 'react';
import type { AnalyzeRequest } from '@/lib/engine/index.ts';
import { isModelAnchor } from '@/lib/board/anchors.ts';
import { proposalsOf } from '@/lib/board/proposals.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { ProgressLine } from '@/app/ui/progress-line.tsx';
import { strings } from '@/app/ui/strings.ts';
import type { Analysis } from './analyses.ts';
import { AnalysisFields } from './analysis-fields.tsx';
import { defaultsOf, formOf, isSameRequest, requestOfForm } from './analysis-form.ts';
import { readRequest } from './analysis-request.ts';
import { AnalysisResult } from './analysis-result.tsx';
import { AttachControl } from './attach-control.tsx';
import { useBoard } from './board-context.tsx';
import { useAnswer } from './use-answer.ts';

/** One analysis: what it means, its form, and what came out. */
export function AnalysisPanel({ analysis, selection }: { analysis: Analysis; selection: string | null }) {
  const { setup, analyses } = useBoard();
  const { draft } = analyses;
  const asked = useMemo(() => readRequest(analyses.asked), [analyses.asked]);
  const state = useAnswer(asked);
  const values = draft ?? (asked ? formOf(asked, analysis, setup) : defaultsOf(analysis, setup, selection));
  const outcome = requestOfForm(analysis, values, setup);
  const busy = asked !== null && state.stale && state.error === null && !state.cancelled;
  const changed = asked !== null && !('request' in outcome && isSameRequest(outcome.request, asked));

  const run = () => {
    if (!('request' in outcome)) return;
    if (changed || asked === null) analyses.run(outcome.request);
    else state.retry();
  };

  return (
    <section aria-labelledby="analysis-heading" className="flex min-w-0 flex-col">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-2">
        <h2 id="analysis-heading" className="text-sm font-semibold">
          {strings.analyses.titles[analysis.view]}
        </h2>
        <KindBadge kind={analysis.kind} />
        <p className="min-w-0 flex-1 basis-64 text-xs text-soft">{strings.analyses.meaning[analysis.view]}</p>
      </div>
      <AnalysisFields
        analysis={analysis}
        values={values}
        faults={'faults' in outcome ? outcome.faults : {}}
        busy={busy}
        onChange={analyses.edit}
        onRun={run}
      />
      {busy ? (
        <div className="p-3">
          <ProgressLine progress={state.progress} onCancel={state.cancel} />
        </div>
      ) : (
        <Finished state={state} asked={asked} changed={changed} selection={selection} />
      )}
    </section>
  );
}

interface FinishedProps {
  state: ReturnType<typeof useAnswer>;
  asked: AnalyzeRequest | null;
  /** the form says something else than what was asked */
  changed: boolean;
  selection: string | null;
}

function Finished({ state, asked, changed, selection }: FinishedProps) {
  if (asked === null) return <p className="p-3 text-sm text-soft">{strings.analyses.empty}</p>;
  if (state.error !== null || state.cancelled) {
    return (
      <div className="p-3">
        {state.error === null ? <p className="text-sm text-soft">{strings.analyses.cancelled}</p> : <Fault>{state.error}</Fault>}
        <Button small className="mt-2" onClick={state.retry}>
          {strings.common.tryAgain}
        </Button>
      </div>
    );
  }
  if (!state.answer) return null;
  return (
    <>
      {changed ? (
        <p role="status" className="px-3 pt-2 text-xs text-soft">
          {strings.analyses.changed}
        </p>
      ) : null}
      <div className="px-3">
        <AttachControl
          key={JSON.stringify(asked)}
          request={asked}
          anchor={selection !== null && isModelAnchor(selection) ? selection : null}
          predicates={(answer) => proposalsOf(answer, selection)}
        />
      </div>
      <AnalysisResult answer={state.answer} />
    </>
  );
}
