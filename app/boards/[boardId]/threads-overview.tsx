'use client';
import { useMemo } from 'react';
import { groupBy } from '@/lib/engine/collections.ts';
import { formatTime } from '@/lib/figures/numbers.ts';
import type { Comment, Thread } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { strings } from '@/app/ui/strings.ts';
import { causalRequestOf } from '@/app/ui/setup-request.ts';
import { useTask } from '@/app/ui/use-task.ts';
import { useAnchorTitles } from './anchor-title.ts';
import { useBoard, useDiscussion } from './board-context.tsx';
import { Choice } from './choice.tsx';
import { useAnswer } from './use-answer.ts';
import { useSetting } from './use-setting.ts';

const FILTERS = ['open', 'all', 'unread', 'mine', 'mentioned', 'resolved'] as const;
type Filter = (typeof FILTERS)[number];

interface Row {
  thread: Thread;
  comments: readonly Comment[];
  last: Comment;
  unread: number;
}

/** Every thread of the board, the one last written in first. */
export function ThreadsOverview() {
  const { session, setup, ids, marks } = useBoard();
  // The board's own answer, which is there already.
  const { answer } = useAnswer(causalRequestOf(setup, 'suffixes', { byToken: true }));
  const titleOf = useAnchorTitles(answer?.tokenTexts);
  const { threads, comments } = useDiscussion(session);
  const [setting, setFilter] = useSetting('claims', 'threads');
  const filter = FILTERS.find((one) => one === setting) ?? 'open';
  const { busy, error, run } = useTask();
  const words = strings.threads;

  const rows = useMemo(() => {
    const byThread = groupBy(comments, (comment) => comment.threadId);
    return threads
      .flatMap((thread): Row[] => {
        const said = byThread.get(thread.id) ?? [];
        const last = said.at(-1);
        return last ? [{ thread, comments: said, last, unread: said.filter(marks.isUnread).length }] : [];
      })
      .sort((a, b) => b.last.createdAt - a.last.createdAt);
  }, [threads, comments, marks]);
  const shown = rows.filter((row) => passes(row, filter, ids));
  const unread = rows.reduce((sum, row) => sum + row.unread, 0);

  return (
    <div className="mx-auto grid max-w-3xl gap-3 p-3 sm:p-4">
      {rows.length === 0 ? (
        <p className="text-sm text-soft">{words.empty}</p>
      ) : (
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-soft">
          <Choice label={words.filter} values={FILTERS} names={words.filters} value={filter} onValue={setFilter} />
          <span role="status">{words.count(shown.length, rows.length)}</span>
          {unread > 0 ? (
            <Button small disabled={busy} onClick={() => void run(marks.readAll)}>
              {words.readAll(unread)}
            </Button>
          ) : null}
          {error ? <Fault>{error}</Fault> : null}
        </div>
      )}
      <ul className="grid gap-2">
        {shown.map((row) => (
          <ThreadRow key={row.thread.id} row={row} title={titleOf(row.thread.anchor)} />
        ))}
      </ul>
    </div>
  );
}

function passes({ thread, comments, unread }: Row, filter: Filter, ids: readonly string[]): boolean {
  switch (filter) {
    case 'all':
      return true;
    case 'open':
      return thread.resolved === null;
    case 'resolved':
      return thread.resolved !== null;
    case 'unread':
      return unread > 0;
    case 'mine':
      return comments.some(({ author }) => ids.includes(author.id));
    case 'mentioned':
      return comments.some(({ mentions = [] }) => mentions.some(({ id }) => ids.includes(id)));
  }
}

function ThreadRow({ row, title }: { row: Row; title: string }) {
  const { select, links } = useBoard();
  const { thread, comments, last, unread } = row;
  return (
    <li data-thread={thread.anchor}>
      <button
        type="button"
        onClick={() => select(thread.anchor, last.id)}
        onPointerEnter={() => links.hover(thread.anchor)}
        onPointerLeave={() => links.hover(null)}
        className="grid w-full gap-0.5 rounded-[3px] border border-line bg-paper px-3 py-2 text-left hover:bg-hover"
      >
        <span className="flex flex-wrap items-baseline gap-x-2">
          <span className={`min-w-0 text-sm font-medium break-words ${thread.anchor.includes(':') ? '' : 'name'}`}>{title}</span>
          {unread > 0 ? <span className="rounded-[2px] bg-ink px-1 text-2xs text-paper">{strings.threads.unread(unread)}</span> : null}
          {thread.resolved ? <span className="text-2xs text-soft">{strings.threads.resolved}</span> : null}
          <span className="ml-auto shrink-0 text-2xs text-soft">{strings.unravel.comments(comments.length)}</span>
        </span>
        <span className="block max-w-full truncate text-xs text-soft">
          {last.author.name}, {formatTime(last.createdAt)}: {last.body}
        </span>
      </button>
    </li>
  );
}
