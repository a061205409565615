'use client';
import { useState } from 'react';
import { changesSince } from '@/lib/board/mechanism.ts';
import { printTest } from '@/lib/board/predicate.ts';
import { readGroups } from '@/lib/board/board-doc.ts';
import { verdictOf, type Verdict } from '@/lib/board/verdict.ts';
import { formatError, formatTime, formatValue } from '@/lib/figures/numbers.ts';
import type { Evidence } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { lineOf, request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { Pedigree } from './pedigree.tsx';
import { useLive } from './use-live.ts';
import { VerdictSign } from './verdict-mark.tsx';

/** A predicate, the number it compared, and whether running it again gave the same. */
export function EvidenceItem({ evidence }: { evidence: Evidence }) {
  const { boardId, runs, may, select } = useBoard();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const answers = evidence.runIds.map((id) => runs.list.find((run) => run.id === id)?.answer).filter((answer) => answer !== undefined);
  const shown = answers[0];
  const { value, left } = evidence.verdict;
  // All runs or none: what a part of them says is another verdict.
  const judged = answers.length === evidence.runIds.length && answers.length > 0 ? judge(evidence.predicate, answers) : null;
  const why = value === 'not tested' ? (judged?.why ?? null) : null;
  const tests = judged && judged.tests.length > 1 ? judged.tests : [];

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
    <li
      data-evidence={evidence.id}
      data-beside={evidence.beside || undefined}
      className={`rounded-[3px] border border-line p-2 text-sm ${evidence.beside ? 'border-dashed' : 'bg-ground'}`}
    >
      <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
        {shown ? <KindBadge kind={shown.kind} /> : null}
        <code className="name">{evidence.predicate}</code>
        <VerdictSign value={value} />
      </p>
      <p className="mt-0.5 flex flex-wrap items-baseline gap-x-2 text-xs text-soft">
        {evidence.beside ? <span className="font-medium">{strings.evidence.beside}</span> : null}
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
      {tests.length > 0 ? (
        <ul className="mt-1 grid gap-0.5 text-xs" aria-label={strings.evidence.tests}>
          {tests.map(({ test, ...outcome }) => (
            <li key={printTest(test)} className="flex flex-wrap items-baseline gap-x-2">
              <VerdictSign value={outcome.value} />
              <span className="name">{printTest(test)}</span>
              {outcome.left === null ? <span>{outcome.why}</span> : <b className="font-mono">{formatValue(outcome.left)}</b>}
            </li>
          ))}
        </ul>
      ) : null}
      {evidence.note ? <p className="mt-1 text-xs text-soft">{evidence.note}</p> : null}
      {evidence.group ? <GroupThen group={evidence.group} /> : null}
      {evidence.reruns.length > 0 ? (
        <ul className="mt-1 grid gap-0.5 text-xs" aria-label={strings.evidence.reruns}>
          {evidence.reruns.slice(-3).map((rerun) => (
            <li key={rerun.runId} data-agrees={rerun.agrees}>
              {rerun.agrees ? strings.evidence.agrees : strings.evidence.differs} ·{' '}
              {strings.evidence.difference(formatError(rerun.maxDifference))} · {rerun.by.name}, {formatTime(rerun.at)}
              {rerun.verdict && rerun.verdict !== value ? <b> · {strings.evidence.verdictThen(rerun.verdict)}</b> : null}
            </li>
          ))}
        </ul>
      ) : null}
      {shown ? <Pedigree answer={shown} /> : null}
      {may('board.evidence') ? (
        <span className="mt-1.5 flex flex-wrap gap-1.5">
          <Button small onClick={again} disabled={busy}>
            {busy ? strings.common.working : strings.evidence.again}
          </Button>
          <Button tone="quiet" small onClick={() => select(`run:${evidence.runIds[0]}`)}>
            {strings.evidence.discuss}
          </Button>
        </span>
      ) : null}
      {error ? <Fault>{error}</Fault> : null}
    </li>
  );
}

/** Null for a predicate that a later version of the site wrote. */
function judge(predicate: string, answers: Parameters<typeof verdictOf>[1]): Verdict | null {
  try {
    return verdictOf(predicate, answers);
  } catch {
    return null;
  }
}

/** The mechanism as it was when the evidence was attached, and what became of it since. */
function GroupThen({ group }: { group: NonNullable<Evidence['group']> }) {
  const { session, select } = useBoard();
  const now = useLive(session.boardDoc, readGroups).records.find((one) => one.id === group.id);
  const words = strings.evidence.group;
  const changes = now ? changesSince(group.members, now.members) : null;
  const changed = changes !== null && changes.added.length + changes.removed.length > 0;
  return (
    <details className="mt-1 text-xs" data-testid="group-then">
      <summary className="rounded-[2px] text-soft">
        {words.about(group.name, group.members.length)}
        {now === undefined ? (
          <b className="text-ink"> · {words.deleted}</b>
        ) : changed ? (
          <b className="text-ink"> · {words.changed}</b>
        ) : null}
      </summary>
      <ul className="mt-1 grid gap-0.5">
        {group.members.map((member) => (
          <li key={member} className="name">
            {changes?.removed.includes(member) ? <del title={words.removed}>{member}</del> : member}
          </li>
        ))}
        {changes?.added.map((member) => (
          <li key={member} className="name">
            <ins title={words.added}>+ {member}</ins>
          </li>
        ))}
      </ul>
      {now ? (
        <Button tone="quiet" small onClick={() => select(`group:${group.id}`)}>
          {words.show}
        </Button>
      ) : null}
    </details>
  );
}
