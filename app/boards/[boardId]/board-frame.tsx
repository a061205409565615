'use client';
import dynamic from 'next/dynamic';
import { useCallback, useEffect, useRef } from 'react';
import { Button } from '@/app/ui/button.tsx';
import { useShortcuts } from '@/app/ui/commands.ts';
import { Fault } from '@/app/ui/field.tsx';
import { ProgressLine } from '@/app/ui/progress-line.tsx';
import { strings } from '@/app/ui/strings.ts';
import type { Theme } from '@/app/ui/theme.ts';
import { useAnchorTitles } from './anchor-title.ts';
import { useBoardCommands, type Sheet } from './board-commands.ts';
import { useBoard } from './board-context.tsx';
import { BoardHeader } from './board-header.tsx';
import type { Connection } from './board-session.ts';
import { BoardSheet } from './board-sheet.tsx';
import type { Notice } from './board-visit.ts';
import { Inspector, type InspectorHandle } from './inspector.tsx';
import { MetricLine } from './metric-line.tsx';
import { Notices } from './notices.tsx';
import { PathPaint } from './path-paint.tsx';
import { SetupBar } from './setup-bar.tsx';
import { UnravelView } from './unravel-view.tsx';
import { useMarks } from './use-marks.ts';
import { useFollow } from './use-follow.ts';
import { usePresence, type User } from './use-presence.ts';
import { BOARD_VIEWS, type BoardView, type Place } from './use-selection.ts';
import { useUnravel, type Unravel } from './use-unravel.ts';

interface BoardFrameProps {
  theme: Theme;
  connection: Connection;
  notice: Notice | null;
  onDismiss: () => void;
  place: Place;
  setPlace: (change: (before: Place) => Place) => void;
  onView: (view: BoardView) => void;
  /** which sheet is open; it stays open when the board is computed elsewhere */
  sheet: Sheet | null;
  onSheet: (sheet: Sheet | null) => void;
}

// What is not seen at first is loaded when it is.
const loading = () => <Loading />;
const AnalysesView = dynamic(() => import('./analyses-view.tsx').then((module) => module.AnalysesView), { loading });
const ClaimsView = dynamic(() => import('./claims-view.tsx').then((module) => module.ClaimsView), { loading });
const DegreesView = dynamic(() => import('./degrees-view.tsx').then((module) => module.DegreesView), { loading });
const GraphView = dynamic(() => import('./graph-view.tsx').then((module) => module.GraphView), { loading });
const HeadsView = dynamic(() => import('./heads-view.tsx').then((module) => module.HeadsView), { loading });
const WeightsView = dynamic(() => import('./weights-view.tsx').then((module) => module.WeightsView), { loading });
const InteractionsView = dynamic(() => import('./interactions-view.tsx').then((module) => module.InteractionsView), { loading });

function Loading() {
  return (
    <p role="status" className="p-4 text-sm text-soft">
      {strings.common.working}
    </p>
  );
}

export function BoardFrame({ theme, connection, notice, onDismiss, place, setPlace, onView, sheet, onSheet }: BoardFrameProps) {
  const { session, setup, person, select, links, say } = useBoard();
  const { selection, view } = place;
  const unravel = useUnravel(setup);
  const peers = usePresence(session.board.awareness, person);
  const marksOf = useMarks(session, peers);
  useEffect(() => links.hear(peers), [links, peers]);
  const inspector = useRef<InspectorHandle>(null);
  const grid = useRef<HTMLDivElement>(null);
  const main = useRef<HTMLElement>(null);
  const sayGone = useCallback((name: string) => say(strings.commands.followGone(name)), [say]);
  const follow = useFollow(peers, place, setPlace, sayGone);
  const commands = useBoardCommands({
    selection,
    peers,
    follow,
    onView,
    onSheet,
    onLabel: () => inspector.current?.focusLabel(),
    onComment: () => inspector.current?.focusComment(),
    onMechanism: () => inspector.current?.focusMechanism(),
  });

  useShortcuts(commands);
  useRevealed(selection, unravel);

  return (
    <div className="flex min-h-dvh flex-col lg:h-dvh">
      <BoardHeader theme={theme} connection={connection} peers={peers} answer={unravel.answer} follow={follow} onSheet={onSheet} />
      <Notices notice={notice} onDismiss={onDismiss} />
      {follow.leader ? <Following leader={follow.leader} onEnd={() => follow.toggle(null)} /> : null}
      <div className="border-b border-line bg-paper">
        <SetupBar answer={unravel.answer} stale={unravel.stale} />
        <MetricLine unravel={unravel} />
      </div>
      <div className="flex min-h-0 flex-1 flex-col lg:grid lg:grid-cols-[7.5rem_minmax(0,1fr)_24rem]">
        <ViewList view={view} onView={onView} />
        <main
          ref={main}
          tabIndex={-1}
          className="relative flex min-h-[24rem] min-w-0 flex-col overflow-hidden bg-paper lg:min-h-0 lg:overflow-y-auto"
        >
          {view === 'claims' ? (
            <ClaimsView />
          ) : view === 'weights' ? (
            <WeightsView selection={selection} />
          ) : view === 'analyses' ? (
            <AnalysesView selection={selection} />
          ) : (
            <Computed unravel={unravel}>
              {view === 'degrees' ? (
                <DegreesView />
              ) : view === 'heads' ? (
                <HeadsView selection={selection} />
              ) : view === 'interactions' ? (
                <InteractionsView />
              ) : view === 'graph' ? (
                <GraphView root={unravel.answer!} selection={selection} />
              ) : (
                <UnravelView
                  gridRef={grid}
                  unravel={unravel}
                  selection={selection}
                  onSelect={select}
                  marksOf={marksOf}
                  onLabel={() => inspector.current?.focusLabel()}
                  onComment={() => inspector.current?.focusComment()}
                />
              )}
            </Computed>
          )}
        </main>
        {selection ? (
          <Below selection={selection} tokenTexts={unravel.answer?.tokenTexts} onShow={() => inspector.current?.show()} />
        ) : null}
        <PathPaint unravel={unravel} />
        <Inspector ref={inspector} selection={selection} unravel={unravel} onLeave={() => (grid.current ?? main.current)?.focus()} />
      </div>
      <BoardSheet sheet={sheet} commands={commands} onClose={() => onSheet(null)} />
    </div>
  );
}

interface BelowProps {
  selection: string;
  tokenTexts: readonly string[] | undefined;
  onShow: () => void;
}

/** On a narrow screen the inspector lies below the view: this says so while it is out of sight, and leads there. */
function Below({ selection, tokenTexts, onShow }: BelowProps) {
  const title = useAnchorTitles(tokenTexts)(selection);
  return (
    <div className="sticky bottom-0 z-20 flex items-center justify-between gap-3 border-y border-line bg-ground px-3 py-1.5 lg:hidden">
      <span className="min-w-0 truncate font-mono text-xs">{title}</span>
      <Button small onClick={onShow}>
        {strings.inspector.below}
      </Button>
    </div>
  );
}

/** The view, or why there is none yet. */
function Computed({ unravel, children }: { unravel: Unravel; children: React.ReactNode }) {
  if (unravel.error !== null || unravel.cancelled) {
    return (
      <div className="p-4">
        {unravel.error === null ? <p className="text-sm text-soft">{strings.analyses.cancelled}</p> : <Fault>{unravel.error}</Fault>}
        <Button small className="mt-2" onClick={unravel.retry}>
          {strings.common.tryAgain}
        </Button>
      </div>
    );
  }
  if (!unravel.answer) {
    return (
      <div className="p-4">
        <ProgressLine progress={unravel.progress} onCancel={unravel.cancel} />
      </div>
    );
  }
  return (
    <div aria-busy={unravel.stale} className={`flex min-h-0 flex-1 flex-col ${unravel.stale ? 'opacity-50' : ''}`}>
      {children}
    </div>
  );
}

function ViewList({ view, onView }: { view: BoardView; onView: (view: BoardView) => void }) {
  return (
    <nav aria-label={strings.views.label} className="border-line bg-ground max-lg:overflow-x-auto max-lg:border-b lg:border-r">
      <ul className="flex w-max gap-1 p-1.5 lg:w-auto lg:flex-col">
        {BOARD_VIEWS.map((name) => (
          <li key={name}>
            <button
              type="button"
              aria-current={name === view ? 'page' : undefined}
              onClick={() => onView(name)}
              className={`w-full rounded-[3px] px-2 py-1 text-left text-sm ${name === view ? 'bg-chosen font-semibold' : 'text-soft hover:bg-hover hover:text-ink'}`}
            >
              {strings.views[name]}
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Whose place this window shows. */
function Following({ leader, onEnd }: { leader: User; onEnd: () => void }) {
  useShortcuts([{ id: 'unfollow', title: strings.commands.unfollow(leader.name), group: '', keys: 'escape', run: onEnd }]);
  return (
    <p
      role="status"
      className="flex flex-wrap items-baseline gap-x-3 px-3 py-1 text-sm text-ink"
      style={{ borderBottom: `2px solid ${leader.color}` }}
    >
      <span className="min-w-0 flex-1">
        {strings.commands.following(leader.name)} <span className="text-soft">{strings.commands.followEnds}</span>
      </span>
      <Button tone="quiet" small onClick={onEnd}>
        {strings.commands.unfollow(leader.name)}
      </Button>
    </p>
  );
}

/** A path selected from a link, a comment or a claim is opened in the trie, too. */
function useRevealed(selection: string | null, { trie, stale, reveal }: Unravel): void {
  const done = useRef<string | null>(null);
  const known = trie !== null && !stale;
  useEffect(() => {
    if (!known || selection === null || done.current === selection) return;
    done.current = selection;
    reveal(selection);
  }, [known, selection, reveal]);
}
