'use client';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { OwnLabel } from '@/lib/wire.ts';
import { forget, store, storeKey, stored } from '@/app/ui/browser-store.ts';
import { RequestFailure, request } from '@/app/ui/request.ts';
import type { LabelEntry } from './label-entries.ts';

/** What is being written about an item and is no label yet. */
export interface Draft {
  note: string;
  unsure: boolean;
}

interface Kept {
  entries: LabelEntry[];
  drafts: Record<number, Draft>;
}

export interface LabelOutbox {
  /** of this person, oldest first; those that were refused too */
  entries: readonly LabelEntry[];
  drafts: Readonly<Record<number, Draft>>;
  /** entries of somebody else who was signed in here before: theirs to send */
  held: number;
  /** the browser has no room: what waits is lost with the page */
  full: boolean;
  add: (entry: NewEntry) => void;
  write: (item: number, draft: Draft | null) => void;
  retry: (id: string) => void;
  drop: (id: string) => void;
}

type Without<T> = T extends unknown ? Omit<T, 'authorId' | 'at' | 'refused'> : never;
export type NewEntry = Without<LabelEntry>;

interface OutboxOptions {
  sessionId: string;
  personId: string;
  /** labels are taken now: the server can be reached, and the session is open or revealed */
  sends: boolean;
  /** the server has it */
  onSent: (entry: LabelEntry, label: OwnLabel | null) => void;
  /** asks the server whether the session is paused: what was refused for that only waits */
  isPaused: () => Promise<boolean>;
}

const NOTHING: Kept = { entries: [], drafts: {} };
const RETRY_MS = 2000;

/**
 * Labels wait here until the server has them, also across a reload and a time without a connection. They go out one
 * after the other, under the name of whoever gave them and no other.
 */
export function useLabelOutbox({ sessionId, personId, sends, onSent, isPaused }: OutboxOptions): LabelOutbox {
  const key = storeKey('labels', personId, sessionId);
  const [kept, setKept] = useState<Kept>(NOTHING);
  const [held, setHeld] = useState(0);
  const [full, setFull] = useState(false);
  const sending = useRef(false);
  const latest = useRef<Kept>(NOTHING);

  const change = useCallback(
    (edit: (kept: Kept) => Kept) => {
      // Another tab may have written meanwhile; where nothing can be kept, this page's memory is all there is.
      const next = edit(stored<Kept>(key) ?? latest.current);
      const isEmpty = next.entries.length === 0 && Object.keys(next.drafts).length === 0;
      latest.current = next;
      if (isEmpty) forget(key);
      else setFull(!store(key, next));
      setKept(next);
    },
    [key],
  );

  useEffect(() => {
    const read = () => {
      latest.current = stored<Kept>(key) ?? NOTHING;
      setKept(latest.current);
      setHeld(countHeld(sessionId, key));
    };
    read();
    window.addEventListener('storage', read);
    return () => window.removeEventListener('storage', read);
  }, [key, sessionId]);

  useEffect(() => {
    const next = kept.entries.find((entry) => entry.refused === null);
    if (!sends || !next || sending.current) return;
    sending.current = true;
    const again = () => setTimeout(() => setKept((before) => ({ ...before })), RETRY_MS);
    const deliver = async () => {
      try {
        const label = await send(sessionId, next);
        // Before the state changes, which is what sends the next one.
        sending.current = false;
        onSent(next, label);
        change((before) => ({ ...before, entries: before.entries.filter(({ id }) => id !== next.id) }));
      } catch (error) {
        if (!(error instanceof RequestFailure)) throw error;
        const waits = error.isOffline || error.status >= 500 || error.status === 429;
        const paused = error.status === 409 && (await isPaused().catch(() => true));
        sending.current = false;
        if (waits || paused) return void again();
        const refused = (entry: LabelEntry) => (entry.id === next.id ? { ...entry, refused: error.message } : entry);
        change((before) => ({ ...before, entries: before.entries.map(refused) }));
      }
    };
    void deliver();
  }, [kept, sends, sessionId, change, onSent, isPaused]);

  return useMemo(
    () => ({
      entries: kept.entries,
      drafts: kept.drafts,
      held,
      full,
      add: (entry) =>
        change((before) => ({
          ...before,
          entries: [...before.entries, { ...entry, authorId: personId, at: Date.now(), refused: null }],
        })),
      write: (item, draft) =>
        change((before) => {
          const { [item]: _, ...others } = before.drafts;
          return { ...before, drafts: draft === null ? others : { ...others, [item]: draft } };
        }),
      retry: (id) =>
        change((before) => ({
          ...before,
          entries: before.entries.map((entry) => (entry.id === id ? { ...entry, refused: null } : entry)),
        })),
      drop: (id) => change((before) => ({ ...before, entries: before.entries.filter((entry) => entry.id !== id) })),
    }),
    [kept, held, full, change, personId],
  );
}

async function send(sessionId: string, entry: LabelEntry): Promise<OwnLabel | null> {
  const url = `/api/sessions/${sessionId}`;
  switch (entry.kind) {
    case 'label': {
      const { item, label, unsure, note } = entry;
      return request<OwnLabel | null>(`${url}/labels/${entry.id}`, { method: 'PUT', body: { item, label, unsure, note } });
    }
    case 'undo':
      // One that the server never took, or that is gone already, is taken back all the same.
      await request(`${url}/labels/${entry.labelId}`, { method: 'DELETE' }).catch((error: unknown) => {
        if (!(error instanceof RequestFailure && error.status === 404)) throw error;
      });
      return null;
    case 'skip':
      await request(`${url}/skip`, { method: 'POST', body: { item: entry.item } });
      return null;
  }
}

/** Labels for this session that other people left in this browser. */
function countHeld(sessionId: string, own: string): number {
  const keys = Array.from({ length: localStorage.length }, (_, index) => localStorage.key(index) ?? '');
  const theirs = keys.filter((key) => key !== own && key.startsWith('pathboard.labels.') && key.endsWith(`.${sessionId}`));
  return theirs.reduce((sum, key) => sum + (stored<Kept>(key)?.entries.length ?? 0), 0);
}
