'use client';
import { useState, type FormEvent } from 'react';
import type { Comment } from '@/lib/wire.ts';
import { formatTime } from '@/lib/figures/numbers.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { lineOf, request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { CommentBody } from './comment-body.tsx';
import type { PendingComment } from './outbox.ts';

export function CommentItem({ comment }: { comment: Comment }) {
  const { boardId, ids, may } = useBoard();
  const [draft, setDraft] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const editable = ids.includes(comment.author.id) && may('board.comment');
  const removable = editable || may('board.moderate');
  const url = `/api/boards/${boardId}/comments/${comment.id}`;

  const remove = () => request(url, { method: 'DELETE' }).catch((cause: unknown) => setError(lineOf(cause)));
  const save = async (event: FormEvent) => {
    event.preventDefault();
    const failed = await request(url, { method: 'PATCH', body: { body: draft } }).then(() => null, lineOf);
    setError(failed);
    if (failed === null) setDraft(null);
  };

  return (
    <li data-comment={comment.id}>
      <p className="flex items-baseline gap-2 text-xs text-soft">
        <b className="font-semibold text-ink">{comment.author.name}</b>
        <time dateTime={new Date(comment.createdAt).toISOString()} className="text-2xs">
          {formatTime(comment.createdAt)}
        </time>
        {comment.editedAt === null ? null : <span className="text-2xs">{strings.thread.edited}</span>}
      </p>
      {draft === null ? (
        <CommentBody body={comment.body} />
      ) : (
        <form onSubmit={save} className="mt-1 grid gap-1.5">
          <textarea
            aria-label={strings.thread.edit}
            autoFocus
            rows={3}
            value={draft}
            onChange={(event) => setDraft(event.target.value)}
            className="field text-sm"
          />
          <span className="flex gap-1.5">
            <Button type="submit" small>
              {strings.common.save}
            </Button>
            <Button small tone="quiet" onClick={() => setDraft(null)}>
              {strings.common.cancel}
            </Button>
          </span>
        </form>
      )}
      {removable && draft === null ? (
        <span className="-ml-1.5 flex">
          {editable ? (
            <Button tone="quiet" small onClick={() => setDraft(comment.body)}>
              {strings.thread.edit}
            </Button>
          ) : null}
          <Button tone="quiet" small onClick={remove}>
            {strings.thread.delete}
          </Button>
        </span>
      ) : null}
      {error ? <Fault>{error}</Fault> : null}
    </li>
  );
}

/** Written here, not confirmed by the server yet. */
export function PendingItem({ entry }: { entry: PendingComment }) {
  const { person, outbox } = useBoard();
  const held = entry.authorId !== person.id;
  return (
    <li data-pending={entry.id} className="border-l-2 border-dashed border-strong pl-2">
      <p className="text-xs text-soft">{held ? strings.outbox.held : entry.refused ? strings.outbox.refused : strings.outbox.waiting}</p>
      <CommentBody body={entry.body} />
      {entry.refused ? <Fault>{entry.refused}</Fault> : null}
      {held || entry.refused ? (
        <span className="-ml-1.5 flex">
          <Button
            tone="quiet"
            small
            onClick={() => {
              outbox.drop(entry.id);
              outbox.add(entry.anchor, entry.body);
            }}
          >
            {held ? strings.outbox.sendAs(person.name) : strings.common.tryAgain}
          </Button>
          <Button tone="quiet" small onClick={() => outbox.drop(entry.id)}>
            {strings.outbox.discard}
          </Button>
        </span>
      ) : null}
    </li>
  );
}
