'use client';
import { useCallback, useEffect, useState } from 'react';
import { isAnchor } from '@/lib/board/board-doc.ts';
import type { BoardSession } from './board-session.ts';

export const BOARD_VIEWS = ['unravel', 'degrees', 'claims'] as const;
export type BoardView = (typeof BOARD_VIEWS)[number];

interface Place {
  view: BoardView;
  selection: string | null;
}

function placeOf(search: string): Place {
  const params = new URLSearchParams(search);
  const selection = params.get('select');
  const view = BOARD_VIEWS.find((known) => known === params.get('view')) ?? 'unravel';
  return { view, selection: selection !== null && isAnchor(selection) ? selection : null };
}

function searchOf({ view, selection }: Place): string {
  const params = new URLSearchParams();
  if (selection !== null) params.set('select', selection);
  if (view !== 'unravel') params.set('view', view);
  const search = params.toString();
  return search === '' ? location.pathname : `${location.pathname}?${search}`;
}

/** The view and the selected path. Both are in the address, so that a link opens the same place. */
export function useSelection(session: BoardSession) {
  const [place, setPlace] = useState<Place>(() => placeOf(location.search));

  useEffect(() => {
    history.replaceState(history.state, '', searchOf(place));
    session.select(place.selection);
  }, [place, session]);

  const select = useCallback((selection: string) => setPlace((before) => ({ ...before, selection })), []);
  const show = useCallback((view: BoardView) => setPlace((before) => ({ ...before, view })), []);
  return { ...place, select, show };
}
