'use client';
import { useEffect, useMemo, useState } from 'react';
import { readSetup } from '@/lib/board/board-doc.ts';
import { readComments, readEvidence } from '@/lib/board/discussion-doc.ts';
import type { Theme } from '@/app/ui/theme.ts';
import type { Presence } from '@/lib/wire.ts';
import { BoardContext, useConnection, type BoardScope } from './board-context.tsx';
import { BoardFrame } from './board-frame.tsx';
import { BoardSession } from './board-session.ts';
import { FirstPaint } from './first-paint.tsx';
import { useOutbox } from './outbox.ts';
import { useRuns } from './runs.ts';
import { useLive } from './use-live.ts';
import { useAnalyses } from './use-analyses.ts';
import { useSelection } from './use-selection.ts';

export interface BoardProps {
  boardId: string;
  person: Presence['user'];
  theme: Theme;
  title: string;
  model: string;
  prompt: string;
}

/** The client island of a board: opens its documents, then shows them. */
export function Board(props: BoardProps) {
  const [session, setSession] = useState<BoardSession | null>(null);
  useEffect(() => {
    const opened = new BoardSession(props.boardId);
    setSession(opened);
    return () => opened.destroy();
  }, [props.boardId]);
  return session ? <OpenBoard {...props} session={session} /> : <FirstPaint {...props} closeCode={null} />;
}

function OpenBoard({ session, ...props }: BoardProps & { session: BoardSession }) {
  const { boardId, person } = props;
  const connection = useConnection(session);
  const setup = useLive(session.boardDoc, readSetup);
  const comments = useLive(session.discussionDoc, readComments).records;
  const arrived = useMemo(() => new Set(comments.map((comment) => comment.id)), [comments]);
  const outbox = useOutbox(boardId, person.id, connection.status === 'connected', arrived);
  const runs = useRuns(boardId, useLive(session.discussionDoc, readEvidence).records);
  const { place, setPlace, select, show } = useSelection(session);
  const analyses = useAnalyses(place, setPlace);

  useUndoKeys(session);

  if (!setup) return <FirstPaint {...props} closeCode={connection.closeCode} broken={connection.ready} />;
  const scope: BoardScope = { boardId, person, session, setup, outbox, runs, analyses, select };
  return (
    <BoardContext value={scope}>
      <BoardFrame theme={props.theme} connection={connection} selection={place.selection} view={place.view} onView={show} />
    </BoardContext>
  );
}

/** Ctrl-Z and ctrl-shift-Z take back and repeat one's own edits of the board, except inside a text field. */
function useUndoKeys(session: BoardSession): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      if (event.target instanceof HTMLElement && event.target.closest('input, textarea, [contenteditable]')) return;
      const key = event.key.toLowerCase();
      if (key !== 'z' && key !== 'y') return;
      event.preventDefault();
      if (key === 'y' || event.shiftKey) session.undo.redo();
      else session.undo.undo();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [session]);
}
