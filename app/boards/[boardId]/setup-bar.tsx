'use client';
import { useState } from 'react';
import type { RunAnswer } from '@/lib/engine/index.ts';
import { setSetup } from '@/lib/board/board-doc.ts';
import { Button } from '@/app/ui/button.tsx';
import { strings } from '@/app/ui/strings.ts';
import { TokenChip } from '@/app/ui/token-chip.tsx';
import { useBoard } from './board-context.tsx';
import { PromptForm } from './prompt-form.tsx';
import { TokenPicker } from './token-picker.tsx';
import { TokenSelect } from './token-select.tsx';
import { TokenStrip } from './token-strip.tsx';

/** What the board asks: prompt, position, target, foil, counterfactual. Changing it changes it for everyone. */
export function SetupBar({ answer, stale }: { answer: RunAnswer | null; stale: boolean }) {
  const { session, setup, may } = useBoard();
  const editable = may('board.edit');
  const [editing, setEditing] = useState(false);

  if (editing && editable) return <PromptForm onDone={() => setEditing(false)} />;
  return (
    <section aria-label={strings.setup.label} className="px-3 pt-2 pb-1">
      <div className="flex items-start gap-2">
        {answer ? (
          <TokenStrip
            answer={answer}
            position={stale ? placeIn(answer, setup.position) : answer.position}
            onPosition={editable ? (position) => setSetup(session.boardDoc, { ...setup, position }) : null}
          />
        ) : (
          <p className="min-w-0 flex-1 truncate py-1 font-mono text-sm text-soft">{setup.prompt}</p>
        )}
        {answer ? <TokenSelect answer={answer} /> : null}
        {editable ? (
          <Button tone="quiet" small onClick={() => setEditing(true)}>
            {strings.setup.editPrompt}
          </Button>
        ) : null}
      </div>
      <div className="mt-1 flex flex-wrap items-start gap-x-4 gap-y-1.5 pb-1.5">
        <TokenPicker part="target" answer={answer} />
        <TokenPicker part="foil" answer={answer} />
        <div className="flex min-w-0 items-baseline gap-1.5 text-xs">
          <span className="text-soft">{strings.setup.counterfactual}</span>
          {setup.counterfactual === null ? (
            <span className="py-0.5 text-soft">{strings.setup.none}</span>
          ) : (
            <TokenChip text={setup.counterfactual} className="truncate py-0.5" />
          )}
          {editable ? (
            <Button tone="quiet" small onClick={() => setEditing(true)}>
              {setup.counterfactual === null ? strings.setup.addCounterfactual : strings.setup.change}
            </Button>
          ) : null}
        </div>
      </div>
    </section>
  );
}

/** Where the marker goes while the answer is still on its way. */
function placeIn({ tokens }: RunAnswer, position: number | null): number {
  return Math.min(position ?? tokens.length - 1, tokens.length - 1);
}
