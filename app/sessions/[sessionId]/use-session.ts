'use client';
import { useCallback, useEffect, useRef, useState } from 'react';
import { readSessions } from '@/lib/board/discussion-doc.ts';
import type { QueueItem, SessionDetail, SessionRecord } from '@/lib/wire.ts';
import type { BoardSession } from '@/app/boards/[boardId]/board-session.ts';
import { useLive } from '@/app/boards/[boardId]/use-live.ts';
import { lineOf, request } from '@/app/ui/request.ts';

export interface SessionState {
  detail: SessionDetail;
  /** one's own; null for who may not label */
  queue: readonly QueueItem[] | null;
  /** why the last look failed; what is shown is from before */
  error: string | null;
  /** asks the server again, and gives what it said */
  reload: () => Promise<SessionDetail>;
  /** what the server answered to an act */
  set: (detail: SessionDetail) => void;
  changeItem: (item: number, change: (one: QueueItem) => QueueItem) => void;
}

/** A facilitator's look at everybody's progress, in milliseconds. */
const PROGRESS_MS = 3000;
const RETRY_MS = 3000;

/** The session and one's own queue, asked for again whenever the discussion says that it has changed. */
export function useSession(session: BoardSession, first: { detail: SessionDetail; queue: QueueItem[] | null }): SessionState {
  const [detail, set] = useState(first.detail);
  const [queue, setQueue] = useState<readonly QueueItem[] | null>(first.queue);
  const [error, setError] = useState<string | null>(null);
  const { id } = first.detail;
  const mayLabel = first.queue !== null;
  const asked = useRef(0);

  const reload = useCallback(async () => {
    const number = ++asked.current;
    const isLast = () => number === asked.current;
    try {
      const [now, mine] = await Promise.all([
        request<SessionDetail>(`/api/sessions/${id}`),
        mayLabel ? request<QueueItem[]>(`/api/sessions/${id}/queue`) : null,
      ]);
      if (isLast()) {
        set(now);
        setQueue(mine);
        setError(null);
      }
      return now;
    } catch (cause) {
      if (isLast()) setError(lineOf(cause));
      throw cause;
    }
  }, [id, mayLabel]);

  const record = useRecord(session, id);
  const revision = Math.max(record?.revision ?? 0, first.detail.revision);
  const known = useRef(first.detail.revision);
  const [attempt, tryAgain] = useState(0);
  useEffect(() => {
    if (revision <= known.current) return;
    const before = known.current;
    known.current = revision;
    reload().catch(() => {
      known.current = before;
      setTimeout(() => tryAgain(attempt + 1), RETRY_MS);
    });
  }, [revision, attempt, reload]);

  const follows = detail.progress !== null && (detail.state === 'open' || detail.state === 'paused');
  useEffect(() => {
    if (!follows) return;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') request<SessionDetail>(`/api/sessions/${id}`).then(set, () => {});
    }, PROGRESS_MS);
    return () => clearInterval(timer);
  }, [follows, id]);

  const changeItem = useCallback(
    (item: number, change: (one: QueueItem) => QueueItem) =>
      setQueue((before) => before?.map((one) => (one.item === item ? change(one) : one)) ?? null),
    [],
  );
  return { detail, queue, error, reload, set, changeItem };
}

function useRecord(session: BoardSession, id: string): SessionRecord | null {
  return useLive(session.discussionDoc, readSessions).records.find((record) => record.id === id) ?? null;
}
