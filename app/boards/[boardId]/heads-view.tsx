'use client';
import { useMemo } from 'react';
import { ofRun, type RunAnswer } from '@/lib/engine/index.ts';
import { columnsOf } from '@/lib/figures/columns.ts';
import { csvOf, fileStem, tableText } from '@/lib/figures/csv.ts';
import { headName, headPlace, headScoresFigure, headTable, SCORES, type HeadTable, type Score } from '@/lib/figures/heads.ts';
import { ExportBar } from '@/app/ui/export-bar.tsx';
import { strings } from '@/app/ui/strings.ts';
import { requestOf } from '@/app/ui/setup-request.ts';
import { AnswerWait } from './answer-wait.tsx';
import { useBoard } from './board-context.tsx';
import { HeadPatterns } from './heads-patterns.tsx';
import { HeadScores } from './heads-scores.tsx';
import { VirtualHead } from './heads-virtual.tsx';
import { Pedigree } from './pedigree.tsx';
import { useAnswer } from './use-answer.ts';
import { useSetting } from './use-setting.ts';
import { ViewHeading } from './view-heading.tsx';

/** What every head attends to: scores of all, patterns of a layer, one pattern in full, and pairs read as one. */
export function HeadsView({ selection }: { selection: string | null }) {
  const { setup } = useBoard();
  const state = useAnswer(requestOf(setup, 'heads'));
  const answer = useMemo(() => state.answer && ofRun(state.answer), [state.answer]);
  const ready = answer !== null && !state.stale;

  return (
    <section aria-labelledby="heads-heading" className="flex flex-col">
      <ViewHeading
        id="heads-heading"
        title={strings.views.heads}
        kind="identity"
        meaning={strings.heads.meaning}
        exports={
          ready ? (
            <ExportBar
              what={strings.heads.scores}
              file={fileStem(answer)}
              text={() => tableText(columnsOf(answer), answer.terms)}
              csv={() => csvOf(answer)}
              svg={() => headScoresFigure(answer)}
            />
          ) : null
        }
      />
      <div className="grid min-w-0 gap-6 p-3">
        {ready ? <Answered answer={answer} selection={selection} /> : <AnswerWait state={state} />}
      </div>
    </section>
  );
}

function Answered({ answer, selection }: { answer: RunAnswer; selection: string | null }) {
  const { select } = useBoard();
  const table = useMemo(() => headTable(answer), [answer]);
  const [setting, setHead] = useSetting('heads', 'head');
  const head = [selection, setting].find((name) => name !== null && isOf(table, name)) ?? mostInductive(table);
  const choose = (name: string) => {
    setHead(name);
    select(name);
  };
  return (
    <>
      <HeadScores answer={answer} table={table} head={head} onChoose={choose} />
      <HeadPatterns answer={answer} table={table} head={head} onChoose={choose} />
      {table.layers > 1 ? <VirtualHead answer={answer} table={table} head={head} selection={selection} /> : null}
      <Pedigree answer={answer} />
    </>
  );
}

function isOf({ layers, heads }: HeadTable, name: string): boolean {
  const place = headPlace(name);
  return place !== null && place.layer < layers && place.head < heads;
}

/** Where a score exists, its largest head says most at first sight. */
function mostInductive(table: HeadTable): string {
  const order: readonly Score[] = SCORES.toReversed();
  for (const score of order) {
    let best: { name: string; value: number } | null = null;
    for (let layer = 0; layer < table.layers; layer++) {
      for (let head = 0; head < table.heads; head++) {
        const value = table.score(score, layer, head);
        if (value !== null && (best === null || value > best.value)) best = { name: headName(layer, head), value };
      }
    }
    if (best) return best.name;
  }
  return headName(0, 0);
}
