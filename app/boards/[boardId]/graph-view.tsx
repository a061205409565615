'use client';
import { useMemo } from 'react';
import { ofRun, type RunAnswer } from '@/lib/engine/index.ts';
import { formatCount } from '@/lib/figures/numbers.ts';
import type { ModelSummary } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { ProgressLine } from '@/app/ui/progress-line.tsx';
import { requestOf } from '@/app/ui/setup-request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useLoaded } from '@/app/ui/use-loaded.ts';
import { useBoard } from './board-context.tsx';
import { GraphPicture } from './graph-picture.tsx';
import { useAnswer } from './use-answer.ts';
import { BY_HEAD, BY_POSITION, useBy, type By } from './use-graph.ts';

/** @param root the board's metric and tokens */
export function GraphView({ root, selection }: { root: RunAnswer; selection: string | null }) {
  const { setup } = useBoard();
  const models = useLoaded<ModelSummary[]>('/api/models');
  const model = models.value?.find(({ name }) => name === setup.model) ?? null;
  const { by, possible, tooMany, setBy } = useBy(model, root.position + 1);
  const request = by && requestOf(setup, 'flow', by === 'token' ? BY_POSITION : BY_HEAD);
  const { answer: given, progress, error, stale, cancelled, retry, cancel } = useAnswer(request);
  const answer = useMemo(() => given && ofRun(given), [given]);
  const fault = models.error ?? error;

  return (
    <section aria-labelledby="graph-title" className="flex min-h-0 flex-1 flex-col">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-2">
        <h2 id="graph-title" className="text-sm font-semibold">
          {strings.views.graph}
        </h2>
        <KindBadge kind="identity" />
        <ByChoice by={by} onChoose={setBy} />
        <p className="hidden min-w-0 flex-1 basis-64 text-xs text-soft sm:block">{strings.graph.meaning}</p>
      </div>
      {tooMany ? (
        <p className="border-b border-line px-3 py-1 text-xs text-soft">{strings.graph.manyFlows(formatCount(possible))}</p>
      ) : null}
      {fault ? (
        <div className="p-3">
          <Fault>{fault}</Fault>
          <Button small className="mt-2" onClick={models.error ? models.reload : retry}>
            {strings.common.tryAgain}
          </Button>
        </div>
      ) : cancelled ? (
        <div className="p-3">
          <Button small onClick={retry}>
            {strings.common.tryAgain}
          </Button>
        </div>
      ) : answer && model && by && !stale ? (
        <GraphPicture key={by} answer={answer} model={model} selection={selection} />
      ) : (
        <div className="p-3">
          <ProgressLine progress={progress} onCancel={cancel} />
        </div>
      )}
    </section>
  );
}

function ByChoice({ by, onChoose }: { by: By | null; onChoose: (by: By) => void }) {
  const words = strings.graph;
  const choices = [
    ['token', words.byToken, words.byTokenLong],
    ['head', words.byHead, words.byHeadLong],
  ] as const;
  return (
    <fieldset className="flex items-center gap-1 text-xs text-soft">
      <legend className="sr-only">{words.by}</legend>
      <span aria-hidden="true">{words.by}</span>
      {choices.map(([value, name, long]) => (
        <label
          key={value}
          title={long}
          className={`cursor-pointer rounded-[3px] border border-strong px-1.5 py-0.5 has-focus-visible:outline-2 has-focus-visible:outline-ink ${by === value ? 'bg-chosen font-semibold text-ink' : 'bg-paper'}`}
        >
          <input type="radio" name="graph-by" value={value} checked={by === value} onChange={() => onChoose(value)} className="sr-only" />
          {name}
        </label>
      ))}
    </fieldset>
  );
}
