'use client';
import { useState, type FormEvent } from 'react';
import type { Claim } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useTask } from '@/app/ui/use-task.ts';
import { useBoard } from './board-context.tsx';

/** What is claimed. Its author may change it for as long as nobody else has a stance on it. */
export function ClaimSentence({ claim, id }: { claim: Claim; id: string }) {
  const { boardId, ids, may } = useBoard();
  const [draft, setDraft] = useState<string | null>(null);
  const { busy, error, run } = useTask();
  const isMine = ids.includes(claim.author.id) && may('board.comment');
  const isOpen = Object.values(claim.stances).every(({ author }) => ids.includes(author.id));

  const save = async (event: FormEvent) => {
    event.preventDefault();
    const body = { text: draft };
    if (await run(() => request(`/api/boards/${boardId}/claims/${claim.id}`, { method: 'PATCH', body }))) setDraft(null);
  };

  if (draft !== null) {
    return (
      <form onSubmit={save} className="grid gap-1.5">
        <textarea
          aria-label={strings.claims.sentence}
          autoFocus
          rows={2}
          maxLength={500}
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
          className="field text-sm"
        />
        <span className="flex gap-1.5">
          <Button type="submit" small disabled={busy || draft.trim() === ''}>
            {strings.common.save}
          </Button>
          <Button small tone="quiet" onClick={() => setDraft(null)}>
            {strings.common.cancel}
          </Button>
        </span>
        {error ? <Fault>{error}</Fault> : null}
      </form>
    );
  }
  return (
    <div className="flex items-start justify-between gap-2">
      <h3 id={id} className="min-w-0 text-base font-medium break-words">
        {claim.text}
        {claim.editedAt === undefined ? null : <span className="ml-1.5 text-2xs font-normal text-soft">{strings.thread.edited}</span>}
      </h3>
      {isMine ? (
        <Button
          tone="quiet"
          small
          disabled={!isOpen}
          title={isOpen ? undefined : strings.claims.settled}
          aria-label={strings.claims.edit(claim.text)}
          onClick={() => setDraft(claim.text)}
        >
          {strings.thread.edit}
        </Button>
      ) : null}
    </div>
  );
}
