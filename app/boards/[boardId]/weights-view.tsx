'use client';
import type { AnalyzeRequest } from '@/lib/engine/index.ts';
import { compositionFigure } from '@/lib/figures/composition.ts';
import { columnsOf } from '@/lib/figures/columns.ts';
import { csvOf, fileStem, tableText } from '@/lib/figures/csv.ts';
import { ExportBar } from '@/app/ui/export-bar.tsx';
import { strings } from '@/app/ui/strings.ts';
import { AnswerWait } from './answer-wait.tsx';
import { useBoard } from './board-context.tsx';
import { Pedigree } from './pedigree.tsx';
import { useAnswer } from './use-answer.ts';
import { useSetting } from './use-setting.ts';
import { ViewHeading } from './view-heading.tsx';
import { Circuits } from './weights-circuits.tsx';
import { Composition } from './weights-composition.tsx';

/** What the weights say without a prompt: which heads read which, and what a head's circuits map to what. */
export function WeightsView({ selection }: { selection: string | null }) {
  const { setup } = useBoard();
  const [fold, setFold] = useSetting('weights', 'fold');
  const foldNorm = fold !== null;
  const request: AnalyzeRequest = { view: 'composition', model: setup.model, foldNorm };
  const state = useAnswer(request);
  const answer = state.stale ? null : state.answer;

  return (
    <section aria-labelledby="weights-heading" className="flex flex-col">
      <ViewHeading
        id="weights-heading"
        title={strings.views.weights}
        kind="weights"
        meaning={strings.weights.meaning}
        exports={
          answer ? (
            <ExportBar
              what={strings.weights.composition}
              file={fileStem(answer)}
              text={() => tableText(columnsOf(answer), answer.terms)}
              csv={() => csvOf(answer)}
              svg={() => compositionFigure(answer)}
            />
          ) : null
        }
      >
        <label className="flex items-center gap-1 text-xs">
          <input type="checkbox" checked={foldNorm} onChange={(event) => setFold(event.target.checked ? '1' : null)} />
          {strings.weights.fold}
        </label>
      </ViewHeading>
      <div className="grid min-w-0 gap-6 p-3">
        {answer ? (
          <div className="grid min-w-0 gap-3">
            <Composition answer={answer} />
            <Pedigree answer={answer} />
          </div>
        ) : (
          <AnswerWait state={state} />
        )}
        <Circuits selection={selection} foldNorm={foldNorm} />
      </div>
    </section>
  );
}
