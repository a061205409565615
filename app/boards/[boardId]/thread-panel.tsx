'use client';
import { useState, type FormEvent, type Ref } from 'react';
import type { Thread } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { lineOf, request } from '@/app/ui/request.ts';
import { Section } from '@/app/ui/section.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useBoard, useDiscussion } from './board-context.tsx';
import { CommentItem, PendingItem } from './comment-item.tsx';

interface ThreadPanelProps {
  ref?: Ref<HTMLTextAreaElement>;
  anchor: string;
  title: string;
}

/** What people have said about one thing, and what this person is about to say. */
export function ThreadPanel({ ref, anchor, title }: ThreadPanelProps) {
  const { session, outbox, role, may } = useBoard();
  const { threads, comments } = useDiscussion(session);
  const here = threads.filter((thread) => thread.anchor === anchor);
  const said = comments.filter((comment) => here.some((thread) => thread.id === comment.threadId));
  const known = new Set(comments.map((comment) => comment.id));
  const waiting = [...outbox.pending, ...outbox.held].filter((entry) => entry.anchor === anchor && !known.has(entry.id));
  const [body, setBody] = useState('');

  const post = (event: FormEvent) => {
    event.preventDefault();
    if (body.trim() === '') return;
    outbox.add(anchor, body.trim());
    setBody('');
  };

  return (
    <Section title={title} aside={here[0] && may('board.comment') ? <Resolution thread={here[0]} /> : null}>
      {said.length + waiting.length > 0 ? (
        <ol className="mb-2 grid gap-2.5" data-testid="thread">
          {said.map((comment) => (
            <CommentItem key={comment.id} comment={comment} />
          ))}
          {waiting.map((entry) => (
            <PendingItem key={entry.id} entry={entry} />
          ))}
        </ol>
      ) : null}
      {may('board.comment') ? (
        <form onSubmit={post} className="grid gap-1.5">
          <textarea
            ref={ref}
            aria-label={strings.thread.write}
            aria-keyshortcuts="C"
            rows={2}
            maxLength={20_000}
            value={body}
            placeholder={strings.thread.placeholder}
            onChange={(event) => setBody(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) post(event);
            }}
            className="field text-sm"
          />
          <div>
            <Button type="submit" small disabled={body.trim() === ''}>
              {strings.thread.post}
            </Button>
          </div>
        </form>
      ) : role === null ? null : (
        <p className="text-xs text-soft">{strings.roles.viewerHere}</p>
      )}
    </Section>
  );
}

function Resolution({ thread }: { thread: Thread }) {
  const { boardId } = useBoard();
  const [error, setError] = useState<string | null>(null);
  const resolved = thread.resolved !== null;

  const change = () =>
    request(`/api/boards/${boardId}/threads/${thread.id}`, { method: 'POST', body: { resolved: !resolved } }).then(
      () => setError(null),
      (cause: unknown) => setError(lineOf(cause)),
    );

  return (
    <span className="flex items-center gap-2 text-xs text-soft">
      {thread.resolved ? strings.thread.resolvedBy(thread.resolved.by.name) : null}
      <Button tone="quiet" small onClick={change}>
        {resolved ? strings.thread.reopen : strings.thread.resolve}
      </Button>
      {error ? <Fault>{error}</Fault> : null}
    </span>
  );
}
