'use client';
import { useState } from 'react';
import type { Comment, EarlierText } from '@/lib/wire.ts';
import { formatTime } from '@/lib/figures/numbers.ts';
import { Fault } from '@/app/ui/field.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useLoaded } from '@/app/ui/use-loaded.ts';
import { useBoard } from './board-context.tsx';

/** That a comment was edited; opened, what it said before. */
export function CommentHistory({ comment }: { comment: Comment }) {
  const { boardId } = useBoard();
  const [open, setOpen] = useState(false);
  // Another edit is another question.
  const url = `/api/boards/${boardId}/comments/${comment.id}/history?at=${comment.editedAt}`;
  const { value: earlier, error } = useLoaded<EarlierText[]>(open ? url : null);

  return (
    <>
      <button
        type="button"
        aria-expanded={open}
        title={strings.thread.earlier}
        onClick={() => setOpen(!open)}
        className="text-2xs underline decoration-dotted underline-offset-2"
      >
        {strings.thread.edited}
      </button>
      {open ? (
        <span className="block w-full" data-testid="comment-history">
          {error ? <Fault>{error}</Fault> : null}
          {earlier === null && !error ? strings.common.working : null}
          {earlier?.length === 0 ? strings.thread.noEarlier : null}
          {earlier?.map(({ body, writtenAt }) => (
            <span key={writtenAt} className="mt-0.5 block border-l-2 border-line pl-1.5">
              <time dateTime={new Date(writtenAt).toISOString()} className="text-2xs">
                {formatTime(writtenAt)}
              </time>
              <span className="block break-words whitespace-pre-wrap">{body}</span>
            </span>
          ))}
        </span>
      ) : null}
    </>
  );
}
