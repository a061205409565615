'use client';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import type { Comment } from '@/lib/wire.ts';
import { formatTime } from '@/lib/figures/numbers.ts';
import { Button } from '@/app/ui/button.tsx';
import { CopyButton } from '@/app/ui/copy-button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { lineOf, request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { CommentBody } from './comment-body.tsx';
import { CommentHistory } from './comment-history.tsx';
import { MentionField } from './mention-field.tsx';
import type { PendingComment } from './outbox.ts';

interface CommentItemProps {
  comment: Comment;
  anchor: string;
  /** the comment that it answers, while that is there */
  answers: Comment | null;
  unread: boolean;
  onReply: (() => void) | null;
}

export function CommentItem({ comment, anchor, answers, unread, onReply }: CommentItemProps) {
  const { boardId, ids, may, linkedComment, select } = useBoard();
  const [draft, setDraft] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const editable = ids.includes(comment.author.id) && may('board.comment');
  const removable = editable || may('board.moderate');
  const url = `/api/boards/${boardId}/comments/${comment.id}`;
  const linked = linkedComment === comment.id;
  const item = useLinked(linked);

  const remove = () => request(url, { method: 'DELETE' }).catch((cause: unknown) => setError(lineOf(cause)));
  const save = async (event: FormEvent) => {
    event.preventDefault();
    const failed = await request(url, { method: 'PATCH', body: { body: draft } }).then(() => null, lineOf);
    setError(failed);
    if (failed === null) setDraft(null);
  };

  return (
    <li
      ref={item}
      tabIndex={linked ? -1 : undefined}
      data-comment={comment.id}
      data-unread={unread || undefined}
      className={linked ? 'rounded-[2px] bg-chosen outline-2 outline-offset-4 outline-strong' : ''}
    >
      <p className="flex flex-wrap items-baseline gap-x-2 text-xs text-soft">
        <b className="font-semibold text-ink">{comment.author.name}</b>
        <time dateTime={new Date(comment.createdAt).toISOString()} className="text-2xs">
          {formatTime(comment.createdAt)}
        </time>
        {unread ? <span className="rounded-[2px] bg-ink px-1 text-2xs text-paper">{strings.thread.unread}</span> : null}
        {comment.editedAt === null ? null : <CommentHistory comment={comment} />}
      </p>
      {comment.replyTo === undefined ? null : (
        <p className="my-0.5 truncate border-l-2 border-line pl-1.5 text-xs text-soft">
          {answers ? (
            <button type="button" onClick={() => select(anchor, answers.id)} className="max-w-full truncate text-left hover:underline">
              {strings.thread.inReplyTo(answers.author.name, answers.body)}
            </button>
          ) : (
            strings.thread.inReplyToNone
          )}
        </p>
      )}
      {draft === null ? (
        <CommentBody body={comment.body} {...(comment.mentions && { mentions: comment.mentions })} />
      ) : (
        <form onSubmit={save} className="mt-1 grid gap-1.5">
          <MentionField aria-label={strings.thread.edit} autoFocus rows={3} value={draft} onValue={setDraft} className="field text-sm" />
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
      {draft === null ? (
        <span className="-ml-1.5 flex flex-wrap">
          {onReply ? (
            <Button tone="quiet" small onClick={onReply}>
              {strings.thread.reply}
            </Button>
          ) : null}
          <CopyButton text={() => commentAddress(boardId, anchor, comment.id)} label={strings.inspector.link} what={strings.thread.link} />
          {editable ? (
            <Button tone="quiet" small onClick={() => setDraft(comment.body)}>
              {strings.thread.edit}
            </Button>
          ) : null}
          {removable ? (
            <Button tone="quiet" small onClick={remove}>
              {strings.thread.delete}
            </Button>
          ) : null}
        </span>
      ) : null}
      {error ? <Fault>{error}</Fault> : null}
    </li>
  );
}

/** The address that opens a comment where it stands. */
function commentAddress(boardId: string, anchor: string, commentId: string): string {
  return `${location.origin}/boards/${boardId}?${new URLSearchParams({ select: anchor, comment: commentId })}`;
}

/** What a link leads to comes into sight and takes the focus, once. */
function useLinked(linked: boolean) {
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (!linked) return;
    item.current?.scrollIntoView({ block: 'center' });
    item.current?.focus({ preventScroll: true });
  }, [linked]);
  return item;
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
              outbox.add(entry.anchor, entry.body, entry.replyTo);
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
