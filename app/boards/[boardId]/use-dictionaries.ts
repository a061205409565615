'use client';
import type { DictionarySummary } from '@/lib/wire.ts';
import { useLoaded, type Loaded } from '@/app/ui/use-loaded.ts';
import { useBoard } from './board-context.tsx';

/** The sparse dictionaries of the board's model. */
export function useDictionaries(): Loaded<DictionarySummary[]> {
  const { setup } = useBoard();
  return useLoaded<DictionarySummary[]>(`/api/models/${encodeURIComponent(setup.model)}/dictionaries`);
}
