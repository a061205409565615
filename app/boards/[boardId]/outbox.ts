'use client';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { Comment } from '@/lib/wire.ts';
import { RequestFailure, request } from '@/app/ui/request.ts';

/** A comment that the server has not confirmed yet. */
export interface PendingComment {
  id: string;
  anchor: string;
  body: string;
  /** the comment that it answers */
  replyTo?: string;
  authorId: string;
  createdAt: number;
  /** the server's line when it refused; the text is kept */
  refused: string | null;
}

export interface Outbox {
  pending: readonly PendingComment[];
  /** written by someone else who was signed in here before */
  held: readonly PendingComment[];
  add: (anchor: string, body: string, replyTo?: string) => void;
  retry: (id: string) => void;
  drop: (id: string) => void;
}

const storageKey = (boardId: string) => `pathboard.outbox.${boardId}`;

function load(boardId: string): PendingComment[] {
  const text = localStorage.getItem(storageKey(boardId));
  return text ? (JSON.parse(text) as PendingComment[]) : [];
}

/**
 * Comments wait here until the server has them. Each carries its own id, so that sending one twice stores it once;
 * they survive a reload, go out in order, and only under the name they were written under.
 */
export function useOutbox(boardId: string, personId: string, connected: boolean, arrived: ReadonlySet<string>): Outbox {
  const [entries, setEntries] = useState<PendingComment[]>([]);
  const sending = useRef(false);

  const change = useCallback(
    (edit: (entries: PendingComment[]) => PendingComment[]) => {
      const next = edit(load(boardId));
      localStorage.setItem(storageKey(boardId), JSON.stringify(next));
      setEntries(next);
    },
    [boardId],
  );

  useEffect(() => {
    const read = () => setEntries(load(boardId));
    read();
    window.addEventListener('storage', read);
    return () => window.removeEventListener('storage', read);
  }, [boardId]);

  useEffect(() => {
    if (entries.some((entry) => arrived.has(entry.id))) change((all) => all.filter((entry) => !arrived.has(entry.id)));
  }, [arrived, entries, change]);

  useEffect(() => {
    const next = entries.find((entry) => entry.authorId === personId && entry.refused === null && !arrived.has(entry.id));
    if (!connected || !next || sending.current) return;
    sending.current = true;
    const body = { id: next.id, anchor: next.anchor, body: next.body, ...(next.replyTo !== undefined && { replyTo: next.replyTo }) };
    request<Comment>(`/api/boards/${boardId}/comments`, { method: 'POST', body })
      .then(() => 'sent' as const)
      .catch((error: unknown) => (error instanceof RequestFailure ? error : Promise.reject(error)))
      .finally(() => (sending.current = false))
      .then((outcome) => {
        if (outcome === 'sent') change((all) => all.filter((entry) => entry.id !== next.id));
        else if (outcome.isOffline || outcome.status >= 500) setTimeout(() => setEntries((all) => [...all]), 2000);
        else change((all) => all.map((entry) => (entry.id === next.id ? { ...entry, refused: outcome.message } : entry)));
      });
  }, [entries, boardId, personId, connected, arrived, change]);

  const add = (anchor: string, body: string, replyTo?: string) => {
    const answer = replyTo === undefined ? {} : { replyTo };
    const entry = { id: crypto.randomUUID(), anchor, body, ...answer, authorId: personId, createdAt: Date.now(), refused: null };
    change((all) => [...all, entry]);
  };

  return {
    pending: entries.filter((entry) => entry.authorId === personId),
    held: entries.filter((entry) => entry.authorId !== personId),
    add,
    retry: (id) => change((all) => all.map((entry) => (entry.id === id ? { ...entry, refused: null } : entry))),
    drop: (id) => change((all) => all.filter((entry) => entry.id !== id)),
  };
}
