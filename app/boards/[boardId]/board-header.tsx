'use client';
import Link from 'next/link';
import { useState } from 'react';
import type { Answer } from '@/lib/engine/index.ts';
import { readTitle, setTitle } from '@/lib/board/board-doc.ts';
import { formatError } from '@/lib/figures/numbers.ts';
import { AccountMenu } from '@/app/ui/account-menu.tsx';
import { Avatar } from '@/app/ui/avatar.tsx';
import { Button } from '@/app/ui/button.tsx';
import { strings } from '@/app/ui/strings.ts';
import { ThemeToggle } from '@/app/ui/theme-toggle.tsx';
import type { Theme } from '@/app/ui/theme.ts';
import { useBoard } from './board-context.tsx';
import type { Connection } from './board-session.ts';
import { ConnectionState } from './connection-state.tsx';
import { HistoryDialog } from './history-dialog.tsx';
import { PublishDialog } from './publish-dialog.tsx';
import { ShareDialog } from './share-dialog.tsx';
import { useLive } from './use-live.ts';
import { peopleOf, type Peer } from './use-presence.ts';

interface BoardHeaderProps {
  theme: Theme;
  connection: Connection;
  peers: readonly Peer[];
  answer: Answer | null;
  onHelp: () => void;
}

export function BoardHeader({ theme, connection, peers, answer, onHelp }: BoardHeaderProps) {
  const { setup, outbox, person, guest, role, may } = useBoard();
  const [open, setOpen] = useState<'share' | 'history' | 'publish' | null>(null);
  const close = () => setOpen(null);

  return (
    <header className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-paper px-3 py-1.5">
      <Link href="/" prefetch={false} className="rounded-[2px] text-sm font-semibold tracking-tight" title={strings.board.home}>
        {strings.product}
      </Link>
      <BoardTitle />
      <span className="text-xs text-soft">{setup.model}</span>
      {answer ? <DeviceChip answer={answer} /> : null}
      <ConnectionState connection={connection} waiting={outbox.pending.filter((entry) => entry.refused === null).length} />
      <People peers={peers} />
      <div className="ml-auto flex items-center gap-1">
        <Button tone="quiet" small onClick={onHelp} aria-keyshortcuts="?">
          {strings.help.button}
        </Button>
        <ThemeToggle initial={theme} />
        <AccountMenu person={person} guest={guest} />
        {role === null ? null : (
          <>
            <Button small onClick={() => setOpen('history')}>
              {strings.history.button}
            </Button>
            <Button small onClick={() => setOpen('share')}>
              {strings.share.button}
            </Button>
          </>
        )}
        {may('board.publish') ? (
          <Button small tone="main" onClick={() => setOpen('publish')}>
            {strings.publish.button}
          </Button>
        ) : null}
      </div>
      <HistoryDialog open={open === 'history'} onClose={close} />
      <ShareDialog open={open === 'share'} onClose={close} />
      <PublishDialog open={open === 'publish'} onClose={close} />
    </header>
  );
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

/** What computed the numbers, and how well the identity held there. */
function DeviceChip({ answer }: { answer: Answer }) {
  const { backend, error } = answer;
  const dtype = backend.dtype === 'float32' ? 'fp32' : backend.dtype;
  return (
    <span
      data-testid="device"
      title={`${backend.engine}, engine ${answer.engineVersion}`}
      className="rounded-[3px] border border-line px-1.5 text-xs text-soft"
    >
      {backend.provider} {dtype}
      {error === undefined ? '' : `, ${strings.board.identityError} ${formatError(error)}`}
    </span>
  );
}

function People({ peers }: { peers: readonly Peer[] }) {
  return (
    <ul aria-label={strings.present.here} className="flex -space-x-1">
      {peopleOf(peers).map((peer) => (
        <li key={peer.user.id} data-person={peer.user.name}>
          <Avatar name={peer.user.name} color={peer.user.color} title={peer.self ? strings.present.you(peer.user.name) : peer.user.name} />
        </li>
      ))}
    </ul>
  );
}
