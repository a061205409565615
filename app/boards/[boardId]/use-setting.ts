'use client';
import { useBoard } from './board-context.tsx';
import type { BoardView } from './use-selection.ts';

/**
 * A setting of a view, kept in the address as `view.name`; null is its default and leaves no trace there. Lower-case
 * letters alone make a name. What comes from an address is anybody's text: read it as such.
 */
export function useSetting(view: BoardView, name: string): [value: string | null, set: (value: string | null) => void] {
  const { settings, set } = useBoard();
  const key = `${view}.${name}`;
  return [settings[key] ?? null, (value) => set(key, value)];
}
