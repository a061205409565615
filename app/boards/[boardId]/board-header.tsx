'use client';
import Link from 'next/link';
import { useState, useSyncExternalStore } from 'react';
import type { Answer } from '@/lib/engine/index.ts';
import { readTitle, setTitle } from '@/lib/board/board-doc.ts';
import type { Notification } from '@/lib/wire.ts';
import { AccountMenu } from '@/app/ui/account-menu.tsx';
import { Avatar } from '@/app/ui/avatar.tsx';
import { Button } from '@/app/ui/button.tsx';
import { PALETTE_KEYS } from '@/app/ui/commands.ts';
import { ariaKeys, printKeys } from '@/app/ui/keys.ts';
import { NotificationBell } from '@/app/ui/notification-bell.tsx';
import { strings } from '@/app/ui/strings.ts';
import { ThemeToggle } from '@/app/ui/theme-toggle.tsx';
import type { Theme } from '@/app/ui/theme.ts';
import { useBoard } from './board-context.tsx';
import type { Connection } from './board-session.ts';
import { ConnectionState } from './connection-state.tsx';
import { DeviceChip } from './device-chip.tsx';
import { SessionsButton } from './sessions-button.tsx';
import type { Sheet } from './board-commands.ts';
import type { Follow } from './use-follow.ts';
import { useLive } from './use-live.ts';
import { peopleOf, type Peer } from './use-presence.ts';

interface BoardHeaderProps {
  theme: Theme;
  connection: Connection;
  peers: readonly Peer[];
  answer: Answer | null;
  follow: Follow;
  onSheet: (sheet: Sheet) => void;
}

export function BoardHeader({ theme, connection, peers, answer, follow, onSheet }: BoardHeaderProps) {
  const { setup, outbox, person, guest, role, may } = useBoard();

  return (
    <header className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-paper px-3 py-1.5">
      <Link href="/" prefetch={false} className="rounded-[2px] text-sm font-semibold tracking-tight" title={strings.board.home}>
        {strings.product}
      </Link>
      <BoardTitle />
      <span className="text-xs text-soft">{setup.model}</span>
      <DeviceChip answer={answer} onOpen={() => onSheet('device')} />
      <ConnectionState connection={connection} waiting={outbox.pending.filter((entry) => entry.refused === null).length} />
      <People peers={peers} follow={follow} />
      <div className="ml-auto flex flex-wrap items-center gap-1">
        {may('board.edit') ? <UndoButtons /> : null}
        <Button tone="quiet" small onClick={() => onSheet('palette')} aria-keyshortcuts={ariaKeys(PALETTE_KEYS)}>
          {strings.commands.button}
          <kbd className="font-mono text-2xs max-sm:hidden">{printKeys(PALETTE_KEYS)}</kbd>
        </Button>
        <Button tone="quiet" small onClick={() => onSheet('help')} aria-keyshortcuts="?">
          {strings.help.button}
        </Button>
        <BoardBell />
        <ThemeToggle initial={theme} />
        <AccountMenu person={person} guest={guest} />
        {role === null ? null : (
          <>
            <Button small onClick={() => onSheet('files')}>
              {strings.files.button}
            </Button>
            <SessionsButton onOpen={() => onSheet('sessions')} />
            <Button small onClick={() => onSheet('history')}>
              {strings.history.button}
            </Button>
            <Button small onClick={() => onSheet('share')}>
              {strings.share.button}
            </Button>
          </>
        )}
        {may('board.publish') ? (
          <Button small tone="main" onClick={() => onSheet('publish')}>
            {strings.publish.button}
          </Button>
        ) : null}
      </div>
    </header>
  );
}

/** What is told of this board opens in it. */
function BoardBell() {
  const { boardId, session, select } = useBoard();
  const open = ({ boardId: where, kind, anchor, subjectId }: Notification) => {
    if (where !== boardId) return false;
    if (anchor !== null) select(anchor, kind === 'mention' || kind === 'reply' ? subjectId : null);
    return true;
  };
  return <NotificationBell onNews={session.onNews} onOpen={open} />;
}

function BoardTitle() {
  const { session, may } = useBoard();
  const title = useLive(session.boardDoc, readTitle);
  if (may('board.edit')) return <TitleField title={title} />;
  return <h1 className="min-w-40 flex-1 basis-48 truncate px-1.5 text-sm font-semibold sm:max-w-96">{title || strings.board.untitled}</h1>;
}

function TitleField({ title }: { title: string }) {
  const { session } = useBoard();
  const [draft, setDraft] = useState<string | null>(null);

  const commit = () => {
    if (draft !== null && draft.trim() !== title) setTitle(session.boardDoc, draft);
    setDraft(null);
  };

  return (
    <h1 className="min-w-40 flex-1 basis-48 text-sm font-semibold sm:max-w-96">
      <input
        aria-label={strings.board.title}
        value={draft ?? title}
        placeholder={strings.board.untitled}
        maxLength={200}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === 'Enter') event.currentTarget.blur();
          if (event.key === 'Escape') setDraft(null);
        }}
        className="w-full truncate rounded-[3px] border border-transparent bg-transparent px-1.5 py-0.5 hover:border-line focus:border-strong"
      />
    </h1>
  );
}

/** Everybody here. Pressing somebody shows what they look at. */
function People({ peers, follow }: { peers: readonly Peer[]; follow: Follow }) {
  return (
    <ul aria-label={strings.present.here} className="flex -space-x-1">
      {peopleOf(peers).map(({ user, self }) => (
        <li key={user.id} data-person={user.name}>
          {self ? (
            <Avatar name={user.name} color={user.color} title={strings.present.you(user.name)} />
          ) : (
            <button
              type="button"
              aria-pressed={follow.leader?.id === user.id}
              aria-label={strings.commands.follow(user.name)}
              title={strings.commands.follow(user.name)}
              onClick={() => follow.toggle(user.id)}
              className="block rounded-full aria-pressed:outline-2 aria-pressed:outline-offset-1 aria-pressed:outline-ink"
            >
              <Avatar name={user.name} color={user.color} />
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

/** One's own edits of the board, back and forth. */
function UndoButtons() {
  const { undo } = useBoard().session;
  const mayUndo = useSyncExternalStore(
    undo.subscribe,
    () => undo.state.undo,
    () => false,
  );
  const mayRedo = useSyncExternalStore(
    undo.subscribe,
    () => undo.state.redo,
    () => false,
  );
  return (
    <>
      <Button
        tone="quiet"
        small
        disabled={!mayUndo}
        onClick={() => undo.undo()}
        aria-label={strings.commands.undo}
        title={strings.commands.undo}
      >
        {strings.commands.undoButton}
      </Button>
      <Button
        tone="quiet"
        small
        disabled={!mayRedo}
        onClick={() => undo.redo()}
        aria-label={strings.commands.redo}
        title={strings.commands.redo}
      >
        {strings.commands.redoButton}
      </Button>
    </>
  );
}
