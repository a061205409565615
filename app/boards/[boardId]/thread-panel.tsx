'use client';
import { useEffect, useRef, useState, type FormEvent, type Ref } from 'react';
import type { Comment, Thread } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { lineOf, request } from '@/app/ui/request.ts';
import { Section } from '@/app/ui/section.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useTask } from '@/app/ui/use-task.ts';
import { useBoard, useDiscussion } from './board-context.tsx';
import { CommentItem, PendingItem } from './comment-item.tsx';
import { MentionField } from './mention-field.tsx';
import { saidAt } from './thread-marks.ts';

interface ThreadPanelProps {
  ref?: Ref<HTMLTextAreaElement>;
  anchor: string;
  title: string;
}

/** What people have said about one thing, and what this person is about to say. */
export function ThreadPanel({ ref, anchor, title }: ThreadPanelProps) {
  const { session, outbox, role, may, marks } = useBoard();
  const { threads, comments } = useDiscussion(session);
  const here = threads.filter((thread) => thread.anchor === anchor);
  const said = comments.filter((comment) => here.some((thread) => thread.id === comment.threadId));
  const known = new Set(comments.map((comment) => comment.id));
  const waiting = [...outbox.pending, ...outbox.held].filter((entry) => entry.anchor === anchor && !known.has(entry.id));
  const [replyTo, setReplyTo] = useState<Comment | null>(null);
  const field = useRef<HTMLTextAreaElement | null>(null);
  const fresh = useFresh(said);
  const list = useReading(here[0] ?? null, said);

  const reply = (comment: Comment) => {
    setReplyTo(comment);
    field.current?.focus();
  };

  return (
    <Section title={title} aside={here[0] ? <ThreadActions thread={here[0]} /> : null}>
      {said.length + waiting.length > 0 ? (
        <ol ref={list} className="mb-2 grid gap-2.5" data-testid="thread">
          {said.map((comment) => (
            <CommentItem
              key={comment.id}
              comment={comment}
              anchor={anchor}
              answers={said.find((one) => one.id === comment.replyTo) ?? null}
              unread={fresh.has(comment.id) || marks.isUnread(comment)}
              onReply={may('board.comment') ? () => reply(comment) : null}
            />
          ))}
          {waiting.map((entry) => (
            <PendingItem key={entry.id} entry={entry} />
          ))}
        </ol>
      ) : null}
      {may('board.comment') ? (
        <CommentForm
          ref={(element) => {
            field.current = element;
            if (typeof ref === 'function') ref(element);
            else if (ref) ref.current = element;
          }}
          replyTo={replyTo && said.some((one) => one.id === replyTo.id) ? replyTo : null}
          onReplyEnd={() => setReplyTo(null)}
          onPost={(body, answered) => outbox.add(anchor, body, answered)}
        />
      ) : role === null ? null : (
        <p className="text-xs text-soft">{strings.roles.viewerHere}</p>
      )}
    </Section>
  );
}

interface CommentFormProps {
  ref: Ref<HTMLTextAreaElement>;
  replyTo: Comment | null;
  onReplyEnd: () => void;
  onPost: (body: string, replyTo?: string) => void;
}

function CommentForm({ ref, replyTo, onReplyEnd, onPost }: CommentFormProps) {
  const [body, setBody] = useState('');

  const post = (event: FormEvent) => {
    event.preventDefault();
    if (body.trim() === '') return;
    onPost(body.trim(), replyTo?.id);
    setBody('');
    onReplyEnd();
  };

  return (
    <form onSubmit={post} className="grid gap-1.5">
      {replyTo ? (
        <p className="flex items-center justify-between gap-2 text-xs text-soft">
          <span className="truncate">{strings.thread.replyingTo(replyTo.author.name)}</span>
          <Button tone="quiet" small onClick={onReplyEnd}>
            {strings.common.cancel}
          </Button>
        </p>
      ) : null}
      <MentionField
        ref={ref}
        aria-label={strings.thread.write}
        aria-keyshortcuts="C"
        rows={2}
        maxLength={20_000}
        value={body}
        placeholder={strings.thread.placeholder}
        onValue={setBody}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) post(event);
        }}
        className="field text-sm"
      />
      <div className="flex items-center gap-2">
        <Button type="submit" small disabled={body.trim() === ''}>
          {strings.thread.post}
        </Button>
        <span className="text-2xs text-soft">{strings.thread.markdown}</span>
      </div>
    </form>
  );
}

function ThreadActions({ thread }: { thread: Thread }) {
  const { boardId, may, marks } = useBoard();
  const { error, run } = useTask();
  const [failed, setFailed] = useState<string | null>(null);
  const resolved = thread.resolved !== null;
  const muted = marks.isMuted(thread.id);

  const change = () =>
    request(`/api/boards/${boardId}/threads/${thread.id}`, { method: 'POST', body: { resolved: !resolved } }).then(
      () => setFailed(null),
      (cause: unknown) => setFailed(lineOf(cause)),
    );

  return (
    <span className="flex flex-wrap items-center justify-end gap-x-1 text-xs text-soft">
      {thread.resolved ? strings.thread.resolvedBy(thread.resolved.by.name) : null}
      <Button
        tone="quiet"
        small
        aria-pressed={muted}
        title={strings.thread.muteHint}
        onClick={() => void run(() => marks.mute(thread.id, !muted))}
      >
        {muted ? strings.thread.unmute : strings.thread.mute}
      </Button>
      {may('board.comment') ? (
        <Button tone="quiet" small onClick={change}>
          {resolved ? strings.thread.reopen : strings.thread.resolve}
        </Button>
      ) : null}
      {(error ?? failed) ? <Fault>{error ?? failed}</Fault> : null}
    </span>
  );
}

/** Comments that were new when they came into sight stay marked for as long as this thread is in sight. */
function useFresh(said: readonly Comment[]): ReadonlySet<string> {
  const { marks } = useBoard();
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    const unread = said.filter(marks.isUnread).map(({ id }) => id);
    setFresh((before) => (unread.every((id) => before.has(id)) ? before : new Set([...before, ...unread])));
  }, [said, marks]);
  return fresh;
}

/** Milliseconds for which a thread must be in sight to count as read. */
const READING_MS = 1200;

/** Marks the thread as read up to its last comment once it has been in sight for a while. */
function useReading(thread: Thread | null, said: readonly Comment[]) {
  const { marks } = useBoard();
  const list = useRef<HTMLOListElement>(null);
  const last = said.reduce((latest, comment) => Math.max(latest, saidAt(comment)), 0);
  const threadId = marks.isKnown ? (thread?.id ?? null) : null;
  const read = useRef(marks.read);
  useEffect(() => {
    read.current = marks.read;
  });

  useEffect(() => {
    const element = list.current;
    if (threadId === null || last === 0 || !element) return;
    let timer: ReturnType<typeof setTimeout> | null = null;
    let inSight = false;
    const consider = () => {
      if (timer) clearTimeout(timer);
      timer = inSight && !document.hidden ? setTimeout(() => read.current(threadId, last), READING_MS) : null;
    };
    const observer = new IntersectionObserver((entries) => {
      inSight = entries.some((entry) => entry.isIntersecting);
      consider();
    });
    observer.observe(element);
    document.addEventListener('visibilitychange', consider);
    return () => {
      observer.disconnect();
      document.removeEventListener('visibilitychange', consider);
      if (timer) clearTimeout(timer);
    };
  }, [threadId, last]);
  return list;
}
