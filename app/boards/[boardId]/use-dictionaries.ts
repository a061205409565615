'use client';
import { useEffect, useMemo } from 'react';
import type { DictionarySummary } from '@/lib/wire.ts';
import { useLoaded, type Loaded } from '@/app/ui/use-loaded.ts';
import { useBoard } from './board-context.tsx';

/** Milliseconds for which a list is not asked for again: the inspector's parts come and go with the selection. */
const FRESH_MS = 30_000;
const known = new Map<string, DictionarySummary[]>();
const fresh = new Set<string>();

function remember(url: string, list: DictionarySummary[]): void {
  known.set(url, list);
  fresh.add(url);
  setTimeout(() => fresh.delete(url), FRESH_MS);
}

/** The sparse dictionaries of the board's model. */
export function useDictionaries(): Loaded<DictionarySummary[]> {
  const { setup } = useBoard();
  const url = `/api/models/${encodeURIComponent(setup.model)}/dictionaries`;
  const isFresh = useMemo(() => fresh.has(url), [url]);
  const loaded = useLoaded<DictionarySummary[]>(isFresh ? null : url);
  useEffect(() => {
    if (loaded.value) remember(url, loaded.value);
  }, [url, loaded.value]);
  return loaded.value === null && loaded.error === null ? { ...loaded, value: known.get(url) ?? null } : loaded;
}
