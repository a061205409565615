'use client';
import { useCallback, useEffect, useState } from 'react';
import { isAnchor } from '@/lib/board/board-doc.ts';
import { readAnalysis, writeAnalysis, type AnalysisPlace } from './analysis-link.ts';
import type { BoardSession } from './board-session.ts';

export const BOARD_VIEWS = ['unravel', 'degrees', 'analyses', 'claims'] as const;
export type BoardView = (typeof BOARD_VIEWS)[number];

export interface Place {
  view: BoardView;
  selection: string | null;
  analysis: AnalysisPlace;
}

function placeOf({ search, hash }: Location): Place {
  const params = new URLSearchParams(search);
  const selection = params.get('select');
  const view = BOARD_VIEWS.find((known) => known === params.get('view')) ?? 'unravel';
  return { view, selection: selection !== null && isAnchor(selection) ? selection : null, analysis: readAnalysis(params, hash) };
}

function addressOf({ view, selection, analysis }: Place): string {
  const params = new URLSearchParams();
  if (selection !== null) params.set('select', selection);
  if (view !== 'unravel') params.set('view', view);
  const hash = view === 'analyses' ? writeAnalysis(analysis, params) : '';
  const search = params.toString();
  return `${location.pathname}${search === '' ? '' : `?${search}`}${hash}`;
}

/** The view, the analysis in it and the selected path. All are in the address, so that a link opens the same place. */
export function useSelection(session: BoardSession) {
  const [place, setPlace] = useState<Place>(() => placeOf(location));

  useEffect(() => {
    history.replaceState(history.state, '', addressOf(place));
    session.select(place.selection);
  }, [place, session]);

  const select = useCallback((selection: string) => setPlace((before) => ({ ...before, selection })), []);
  const show = useCallback((view: BoardView) => setPlace((before) => ({ ...before, view })), []);
  return { place, setPlace, select, show };
}
