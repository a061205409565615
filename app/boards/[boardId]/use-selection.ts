'use client';
import { useCallback, useEffect, useState } from 'react';
import { isAnchor } from '@/lib/board/anchors.ts';
import { readAnalysis, writeAnalysis, type AnalysisPlace } from './analysis-link.ts';
import type { BoardSession } from './board-session.ts';

export const BOARD_VIEWS = ['unravel', 'graph', 'degrees', 'heads', 'weights', 'interactions', 'claims', 'analyses'] as const;
export type BoardView = (typeof BOARD_VIEWS)[number];

export interface Place {
  view: BoardView;
  selection: string | null;
  /** one of the selection's comments that a link leads to */
  comment: string | null;
  analysis: AnalysisPlace;
  /** what a view keeps of itself in the address, by `view.name` */
  settings: Readonly<Record<string, string>>;
}

const SETTING = /^[a-z]+\.[a-z]+$/;
/** A longer setting stands behind the #, which no server is sent. */
const LONGEST = 1500;

export function placeOf({ search, hash }: Pick<Location, 'search' | 'hash'>): Place {
  const params = new URLSearchParams(search);
  const selection = params.get('select');
  const view = BOARD_VIEWS.find((known) => known === params.get('view')) ?? 'unravel';
  const given = [...params, ...new URLSearchParams(hash.slice(1))];
  const settings = Object.fromEntries(given.filter(([name]) => SETTING.test(name)));
  const isSelected = selection !== null && isAnchor(selection);
  const comment = isSelected ? params.get('comment') : null;
  return { view, selection: isSelected ? selection : null, comment, analysis: readAnalysis(params, hash), settings };
}

function addressOf({ view, selection, comment, analysis, settings }: Place): string {
  const params = new URLSearchParams();
  if (selection !== null) params.set('select', selection);
  if (comment !== null) params.set('comment', comment);
  if (view !== 'unravel') params.set('view', view);
  const long = new URLSearchParams();
  for (const [name, value] of Object.entries(settings)) {
    if (name.startsWith(`${view}.`) || name.startsWith('inspector.')) (value.length > LONGEST ? long : params).set(name, value);
  }
  const hash = view === 'analyses' ? writeAnalysis(analysis, params) : long.size === 0 ? '' : `#${long}`;
  const search = params.toString();
  return `${location.pathname}${search === '' ? '' : `?${search}`}${hash}`;
}

/** The view, what is set in it, the analysis and the selection. All are in the address, so that a link opens the same place. */
export function useSelection(session: BoardSession) {
  const [place, setPlace] = useState<Place>(() => placeOf(location));

  useEffect(() => {
    history.replaceState(history.state, '', addressOf(place));
    session.look(place.selection, location.search);
  }, [place, session]);

  // An address put in by hand may differ behind the # alone, and then the page stays.
  useEffect(() => {
    const onHashChange = () => setPlace(placeOf(location));
    window.addEventListener('hashchange', onHashChange);
    return () => window.removeEventListener('hashchange', onHashChange);
  }, []);

  const select = useCallback(
    (selection: string | null, comment: string | null = null) => setPlace((before) => ({ ...before, selection, comment })),
    [],
  );
  const show = useCallback((view: BoardView) => setPlace((before) => ({ ...before, view })), []);
  const set = useCallback((name: string, value: string | null) => setPlace((before) => withSetting(before, name, value)), []);
  return { place, setPlace, select, show, set };
}

function withSetting(place: Place, name: string, value: string | null): Place {
  if ((place.settings[name] ?? null) === value) return place;
  const { [name]: _, ...others } = place.settings;
  return { ...place, settings: value === null ? others : { ...others, [name]: value } };
}
