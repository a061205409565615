'use client';
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { readSetup } from '@/lib/board/board-doc.ts';
import { readComments, readEvidence } from '@/lib/board/discussion-doc.ts';
import { may, type BoardAction } from '@/lib/roles.ts';
import type { Presence, Role } from '@/lib/wire.ts';
import { computing, useComputing } from '@/app/ui/computing.ts';
import type { Theme } from '@/app/ui/theme.ts';
import type { Sheet } from './board-commands.ts';
import { BoardContext, useConnection, type BoardScope } from './board-context.tsx';
import { BoardFrame } from './board-frame.tsx';
import { BoardVisit } from './board-visit.ts';
import { FirstPaint } from './first-paint.tsx';
import { useKeptAside } from './kept-aside.ts';
import { Links } from './links.ts';
import { useOutbox } from './outbox.ts';
import { useRuns } from './runs.ts';
import { TokenPaint } from './token-paint.ts';
import { useLive } from './use-live.ts';
import { useThreadMarks } from './thread-marks.ts';
import { useAnalyses } from './use-analyses.ts';
import { useSelection } from './use-selection.ts';

export interface BoardProps {
  boardId: string;
  workspaceId: string | null;
  person: Presence['user'];
  /** under which they ever wrote: their own, and of the guests who turned out to be them */
  ids: string[];
  guest: boolean;
  role: Role;
  theme: Theme;
  title: string;
  model: string;
  prompt: string;
}

/** The client island of a board: opens its documents, then shows them. */
export function Board(props: BoardProps) {
  const { boardId, role } = props;
  const personId = props.person.id;
  const [visit, setVisit] = useState<BoardVisit | null>(null);
  useEffect(() => {
    computing.open(boardId);
    const opened = new BoardVisit(boardId, personId, role);
    setVisit(opened);
    return () => opened.destroy();
  }, [boardId, personId, role]);
  return visit ? <OpenBoard {...props} visit={visit} /> : <FirstPaint {...props} notice={null} />;
}

function OpenBoard({ visit, ...props }: BoardProps & { visit: BoardVisit }) {
  const { boardId, workspaceId, person, ids, guest } = props;
  const read = () => visit.state;
  const { session, role, changing, notice } = useSyncExternalStore(visit.subscribe, read, read);
  const { where } = useComputing();
  const [sheet, setSheet] = useState<Sheet | null>(null);
  const connection = useConnection(session);
  const setup = useLive(session.boardDoc, readSetup);
  const comments = useLive(session.discussionDoc, readComments).records;
  const arrived = useMemo(() => new Set(comments.map((comment) => comment.id)), [comments]);
  const outbox = useOutbox(boardId, person.id, connection.status === 'connected', arrived);
  const runs = useRuns(boardId, useLive(session.discussionDoc, readEvidence).records);
  const aside = useKeptAside(person.id, boardId);
  const { place, setPlace, select, show, set } = useSelection(session);
  const links = useMemo(() => new Links((anchor) => session.hover(anchor)), [session]);
  const paint = useMemo(() => new TokenPaint(), []);
  const analyses = useAnalyses(place, setPlace);
  const marks = useThreadMarks(session, boardId, ids);
  const mayDo = (action: BoardAction) => may(role, action) && !(changing && action === 'board.edit');

  if (!setup) return <FirstPaint {...props} notice={notice} broken={connection.ready} />;
  const scope: BoardScope = {
    boardId,
    workspaceId,
    person,
    ids,
    guest,
    session,
    setup,
    outbox,
    runs,
    aside,
    analyses,
    role,
    may: mayDo,
    say: visit.say,
    select,
    show,
    selection: place.selection,
    linkedComment: place.comment,
    marks,
    links,
    paint,
    settings: place.settings,
    set,
  };
  return (
    <BoardContext value={scope}>
      <BoardFrame
        key={where}
        theme={props.theme}
        connection={connection}
        notice={notice}
        onDismiss={visit.dismiss}
        place={place}
        setPlace={setPlace}
        onView={show}
        sheet={sheet}
        onSheet={setSheet}
      />
    </BoardContext>
  );
}
