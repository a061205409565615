'use client';
import { useRef, useState } from 'react';
import type { AnalyzeRequest, Answer } from '@/lib/engine/index.ts';
import { proposalsOf } from '@/lib/board/proposals.ts';
import type { Run } from '@/lib/wire.ts';
import { execute, type Progress } from '@/app/ui/analysis.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { ProgressLine } from '@/app/ui/progress-line.tsx';
import { lineOf } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { AttachForm } from './attach-form.tsx';
import { useBoard } from './board-context.tsx';

interface AttachControlProps {
  /** what gave the numbers on the screen */
  request: AnalyzeRequest;
  /** what a new claim would be about; null for the whole board */
  anchor: string | null;
  /** predicates that fit the answer, the most likely one first */
  predicates?: (answer: Answer) => readonly string[];
}

/** Beside any result: keeps it as a run of the board, then ties the run to a claim, or talks about it. */
export function AttachControl({ request, anchor, predicates = proposalsOf }: AttachControlProps) {
  const { boardId, runs, may, select } = useBoard();
  const [run, setRun] = useState<Run | null>(null);
  const [busy, setBusy] = useState(false);
  const [progress, setProgress] = useState<Progress | null>(null);
  const [error, setError] = useState<string | null>(null);
  const abort = useRef<AbortController | null>(null);

  if (!may('board.evidence')) return null;
  if (run) {
    return <AttachForm runIds={[run.id]} anchor={anchor} predicates={predicates(run.answer)} onDone={() => setRun(null)} />;
  }
  const keep = async (then: (made: Run) => void) => {
    abort.current = new AbortController();
    setBusy(true);
    setError(null);
    setProgress(null);
    await execute(boardId, request, { signal: abort.current.signal, onProgress: setProgress }).then(
      (made) => {
        runs.add(made);
        then(made);
      },
      (cause: unknown) => setError(lineOf(cause)),
    );
    setBusy(false);
  };
  return (
    <div className="mt-1.5 flex flex-wrap items-center gap-2">
      <Button small onClick={() => void keep(setRun)} disabled={busy}>
        {strings.attach.button}
      </Button>
      <Button tone="quiet" small onClick={() => void keep((made) => select(`run:${made.id}`))} disabled={busy}>
        {strings.evidence.discuss}
      </Button>
      {busy ? <ProgressLine progress={progress} onCancel={() => abort.current?.abort()} /> : null}
      {error ? <Fault>{error}</Fault> : null}
    </div>
  );
}
