'use client';
import { useCallback, useEffect, useMemo, useState } from 'react';
import type { Comment, ThreadMark } from '@/lib/wire.ts';
import { request } from '@/app/ui/request.ts';
import type { BoardSession } from './board-session.ts';

export interface Marks {
  /** the server has said how far this person has read */
  isKnown: boolean;
  /** the comment is somebody else's and later than what this person has read of its thread */
  isUnread: (comment: Comment) => boolean;
  isMuted: (threadId: string) => boolean;
  /** Comments up to then are read. */
  read: (threadId: string, readAt: number) => void;
  readAll: () => Promise<void>;
  mute: (threadId: string, muted: boolean) => Promise<void>;
}

/** When a comment last said something new. */
export function saidAt({ createdAt, editedAt }: Comment): number {
  return Math.max(createdAt, editedAt ?? 0);
}

/** How far this person has read; the server keeps it, and tells their other windows. */
export function useThreadMarks(session: BoardSession, boardId: string, ids: readonly string[]): Marks {
  const [marks, setMarks] = useState<ReadonlyMap<string, ThreadMark> | null>(null);

  const load = useCallback(() => {
    request<ThreadMark[]>(`/api/boards/${boardId}/marks`).then(
      (list) => setMarks(new Map(list.map((mark) => [mark.threadId, mark]))),
      // Asked for again at the next news, and whenever the connection comes back.
      () => {},
    );
  }, [boardId]);
  useEffect(() => {
    load();
    return session.onNews(load);
  }, [session, load]);

  const change = useCallback((threadId: string, edit: Partial<ThreadMark>) => {
    setMarks((before) => {
      const known = before?.get(threadId) ?? { threadId, readAt: 0, muted: false };
      return new Map([...(before ?? []), [threadId, { ...known, ...edit }]]);
    });
  }, []);

  return useMemo(() => {
    const put = (threadId: string, body: { readAt?: number; muted?: boolean }) =>
      request<void>(`/api/boards/${boardId}/threads/${threadId}/mark`, { method: 'PUT', body });
    return {
      isKnown: marks !== null,
      // Until they are there, nothing is called new.
      isUnread: (comment) =>
        marks !== null && !ids.includes(comment.author.id) && comment.createdAt > (marks.get(comment.threadId)?.readAt ?? 0),
      isMuted: (threadId) => marks?.get(threadId)?.muted ?? false,
      read(threadId, readAt) {
        if (marks === null || readAt <= (marks.get(threadId)?.readAt ?? 0)) return;
        change(threadId, { readAt });
        put(threadId, { readAt }).catch(load);
      },
      readAll: () => request<void>(`/api/boards/${boardId}/marks`, { method: 'POST', body: {} }).then(load),
      async mute(threadId, muted) {
        await put(threadId, { muted });
        change(threadId, { muted });
      },
    };
  }, [marks, boardId, ids, change, load]);
}
