'use client';
import { useState } from 'react';
import { STANCES, type Stance } from '@/lib/board/records.ts';
import type { Claim } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { lineOf, request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';

/** Everyone's stance, and one's own to take, explain or take back. */
export function StanceForm({ claim }: { claim: Claim }) {
  const { boardId, person, may } = useBoard();
  const own = claim.stances[person.id] ?? null;
  const [reason, setReason] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);

  const take = async (stance: Stance | null, why: string) => {
    const failed = await request(`/api/boards/${boardId}/claims/${claim.id}/stance`, { method: 'PUT', body: { stance, reason: why } }).then(
      () => null,
      lineOf,
    );
    setError(failed);
    return failed === null;
  };

  return (
    <>
      <ul className="grid gap-0.5 text-sm">
        {Object.values(claim.stances).map((one) => (
          <li key={one.author.id} data-stance={one.stance}>
            <b className="font-semibold">{one.author.name}</b> {strings.stance.names[one.stance]}
            {one.reason ? <span className="text-soft"> – {one.reason}</span> : null}
          </li>
        ))}
      </ul>
      {may('board.comment') ? (
        <div role="group" aria-label={strings.stance.label} className="mt-1 flex flex-wrap gap-1">
          {STANCES.map((stance) => (
            <Button
              key={stance}
              small
              aria-pressed={own?.stance === stance}
              onClick={() => void take(own?.stance === stance ? null : stance, own?.reason ?? '')}
              className="aria-pressed:bg-ink aria-pressed:text-paper"
            >
              {strings.stance.names[stance]}
            </Button>
          ))}
          {own && reason === null ? (
            <Button small tone="quiet" onClick={() => setReason(own.reason)}>
              {own.reason ? strings.stance.changeReason : strings.stance.addReason}
            </Button>
          ) : null}
        </div>
      ) : null}
      {own && may('board.comment') && reason !== null ? (
        <form
          className="mt-1.5 flex gap-1.5"
          onSubmit={(event) => {
            event.preventDefault();
            void take(own.stance, reason).then((taken) => taken && setReason(null));
          }}
        >
          <input
            aria-label={strings.stance.reason}
            autoFocus
            maxLength={2000}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
            className="field text-sm"
          />
          <Button type="submit" small>
            {strings.common.save}
          </Button>
        </form>
      ) : null}
      {error ? <Fault>{error}</Fault> : null}
    </>
  );
}
