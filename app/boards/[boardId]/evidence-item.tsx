'use client';
import { useState } from 'react';
import { verdictOf } from '@/lib/board/verdict.ts';
import { formatError, formatTime, formatValue } from '@/lib/figures/numbers.ts';
import type { Evidence } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { lineOf, request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { Pedigree } from './pedigree.tsx';
import { VerdictSign } from './verdict-mark.tsx';

/** A predicate, the number it compared, and whether running it again gave the same. */
export function EvidenceItem({ evidence }: { evidence: Evidence }) {
  const { boardId, runs, may } = useBoard();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const answers = evidence.runIds.map((id) => runs.list.find((run) => run.id === id)?.answer).filter((answer) => answer !== undefined);
  const shown = answers[0];
  const { value, left } = evidence.verdict;
  const why = value === 'not tested' && answers.length > 0 ? verdictOf(evidence.predicate, answers).why : null;

  const again = async () => {
    setBusy(true);
    setError(
      await request<Evidence>(`/api/boards/${boardId}/evidence/${evidence.id}/again`, { method: 'POST', body: {} }).then(
        () => null,
        lineOf,
      ),
    );
    setBusy(false);
  };

  return (
    <li data-evidence={evidence.id} className="rounded-[3px] border border-line bg-ground p-2 text-sm">
      <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
        {shown ? <KindBadge kind={shown.kind} /> : null}
        <code className="name">{evidence.predicate}</code>
        <VerdictSign value={value} />
      </p>
      <p className="mt-0.5 flex flex-wrap items-baseline gap-x-2 text-xs text-soft">
        {left === null ? null : (
          <span data-testid="compared">
            {strings.evidence.compared} <b className="font-mono font-semibold text-ink">{formatValue(left)}</b>
          </span>
        )}
        {why ? <span>{why}</span> : null}
        <span>
          {evidence.author.name}, {formatTime(evidence.createdAt)}
        </span>
      </p>
      {evidence.reruns.length > 0 ? (
        <ul className="mt-1 grid gap-0.5 text-xs" aria-label={strings.evidence.reruns}>
          {evidence.reruns.slice(-3).map((rerun) => (
            <li key={rerun.runId} data-agrees={rerun.agrees}>
              {rerun.agrees ? strings.evidence.agrees : strings.evidence.differs} ·{' '}
              {strings.evidence.difference(formatError(rerun.maxDifference))} · {rerun.by.name}, {formatTime(rerun.at)}
            </li>
          ))}
        </ul>
      ) : null}
      {shown ? <Pedigree answer={shown} /> : null}
      {may('board.evidence') ? (
        <Button small className="mt-1.5" onClick={again} disabled={busy}>
          {busy ? strings.common.working : strings.evidence.again}
        </Button>
      ) : null}
      {error ? <Fault>{error}</Fault> : null}
    </li>
  );
}
