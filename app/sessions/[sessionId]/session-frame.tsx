'use client';
import Link from 'next/link';
import { useCallback, useEffect, useState } from 'react';
import type { OwnLabel, QueueItem, SessionDetail } from '@/lib/wire.ts';
import { useBoard } from '@/app/boards/[boardId]/board-context.tsx';
import type { Connection } from '@/app/boards/[boardId]/board-session.ts';
import type { Notice } from '@/app/boards/[boardId]/board-visit.ts';
import { ConnectionState } from '@/app/boards/[boardId]/connection-state.tsx';
import { Notices } from '@/app/boards/[boardId]/notices.tsx';
import { AccountMenu } from '@/app/ui/account-menu.tsx';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { PageCommands } from '@/app/ui/page-commands.tsx';
import { strings } from '@/app/ui/strings.ts';
import { ThemeToggle } from '@/app/ui/theme-toggle.tsx';
import type { Theme } from '@/app/ui/theme.ts';
import { FacilitatorPanel } from './facilitator-panel.tsx';
import { applied, type LabelEntry } from './label-entries.ts';
import { QueueHelp } from './queue-help.tsx';
import { QueueView } from './queue-view.tsx';
import { ResultsView } from './results-view.tsx';
import { useLabelOutbox } from './use-label-outbox.ts';
import { useSession } from './use-session.ts';

interface SessionFrameProps {
  theme: Theme;
  first: { detail: SessionDetail; queue: QueueItem[] | null };
  connection: Connection;
  notice: Notice | null;
  onDismiss: () => void;
}

const PARTS = ['queue', 'progress', 'results'] as const;
type Part = (typeof PARTS)[number];

export function SessionFrame({ theme, first, connection, notice, onDismiss }: SessionFrameProps) {
  const { session, person, guest, may, outbox: comments } = useBoard();
  const state = useSession(session, first);
  const { detail, queue, reload, changeItem } = state;
  const revealed = detail.revealedAt !== null;
  const [helpOpen, setHelpOpen] = useState(false);
  const parts = partsOf(detail, queue !== null && may('board.annotate'));
  const [part, show] = usePart(parts);

  const onSent = useCallback(
    (entry: LabelEntry, label: OwnLabel | null) =>
      changeItem(entry.item, (one) => (entry.kind === 'label' ? { ...one, mine: label } : applied(one, entry, true))),
    [changeItem],
  );
  const isPaused = useCallback(async () => (await reload()).state === 'paused', [reload]);
  const takesLabels = detail.state === 'open' || detail.state === 'revealed';
  const labels = useLabelOutbox({
    sessionId: detail.id,
    personId: person.id,
    sends: connection.status === 'connected' && takesLabels,
    onSent,
    isPaused,
  });
  const waiting = labels.entries.filter((entry) => entry.refused === null).length;

  useHelpKey(() => setHelpOpen(true));

  return (
    <div className="flex min-h-dvh flex-col">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-paper px-3 py-1.5">
        <Link href="/" prefetch={false} className="rounded-[2px] text-sm font-semibold tracking-tight" title={strings.board.home}>
          {strings.product}
        </Link>
        <h1 className="min-w-0 truncate text-sm font-semibold">{detail.name}</h1>
        <StateBadge state={detail.state} />
        <a href={`/boards/${detail.boardId}`} className="text-xs text-soft underline underline-offset-2">
          {strings.sessions.page.board}
        </a>
        <ConnectionState connection={connection} waiting={waiting + comments.pending.filter((entry) => entry.refused === null).length} />
        <div className="ml-auto flex items-center gap-1">
          <Button tone="quiet" small onClick={() => setHelpOpen(true)} aria-keyshortcuts="?">
            {strings.sessions.page.help}
          </Button>
          <PageCommands signedIn />
          <ThemeToggle initial={theme} />
          <AccountMenu person={person} guest={guest} />
        </div>
      </header>
      <Notices notice={notice} onDismiss={onDismiss} />
      <PartList parts={parts} part={part} onPart={show} />
      {state.error ? (
        <div className="flex items-center gap-3 border-b border-line px-3 py-1">
          <Fault>{state.error}</Fault>
          <Button small onClick={() => void reload().catch(() => {})}>
            {strings.common.tryAgain}
          </Button>
        </div>
      ) : null}
      <main className="flex-1">
        {part === 'queue' ? (
          <QueueView
            detail={detail}
            queue={queue ?? []}
            outbox={labels}
            revealed={revealed}
            active={!helpOpen}
            onResults={() => show('results')}
          />
        ) : part === 'progress' ? (
          <FacilitatorPanel state={state} />
        ) : (
          <ResultsView detail={detail} />
        )}
      </main>
      <QueueHelp labels={detail.labels} open={helpOpen} onClose={() => setHelpOpen(false)} />
    </div>
  );
}

export function StateBadge({ state }: { state: SessionDetail['state'] }) {
  const look = state === 'open' ? 'border-ink bg-ink text-paper' : state === 'paused' ? 'border-dashed border-strong' : 'border-strong';
  return (
    <span data-state={state} className={`rounded-[3px] border px-1 text-2xs font-medium leading-4 ${look}`}>
      {strings.sessions.states[state]}
    </span>
  );
}

/** A queue for who has one, or would have; progress for who may facilitate; results for everybody. */
function partsOf(detail: SessionDetail, mayLabel: boolean): Part[] {
  return PARTS.filter((part) =>
    part === 'queue' ? mayLabel && (detail.mine !== null || detail.progress === null) : part !== 'progress' || detail.progress !== null,
  );
}

function PartList({ parts, part, onPart }: { parts: readonly Part[]; part: Part; onPart: (part: Part) => void }) {
  return (
    <nav aria-label={strings.sessions.page.sections} className="border-b border-line bg-ground px-3">
      <ul className="-mb-px flex flex-wrap gap-x-4">
        {parts.map((one) => (
          <li key={one}>
            <button
              type="button"
              aria-current={one === part ? 'page' : undefined}
              onClick={() => onPart(one)}
              className={`block border-b-2 py-1.5 text-sm ${one === part ? 'border-ink font-semibold' : 'border-transparent text-soft hover:text-ink'}`}
            >
              {strings.sessions.page[one]}
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}

const PARAMETER = 'show';

/** Which part is shown is in the address, so that a reload comes back to it. */
function usePart(parts: readonly Part[]): [Part, (part: Part) => void] {
  const [asked, setAsked] = useState(() => new URLSearchParams(location.search).get(PARAMETER));
  const part = parts.find((one) => one === asked) ?? parts[0] ?? 'results';
  const show = (next: Part) => {
    setAsked(next);
    history.replaceState(history.state, '', `${location.pathname}?${PARAMETER}=${next}`);
  };
  return [part, show];
}

/** `?` opens the keys, except where it is being typed. */
function useHelpKey(open: () => void): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== '?' || event.ctrlKey || event.metaKey) return;
      if (event.target instanceof HTMLElement && event.target.closest('input, textarea, select, dialog')) return;
      event.preventDefault();
      open();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  });
}
