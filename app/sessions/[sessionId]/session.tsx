'use client';
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { readComments } from '@/lib/board/discussion-doc.ts';
import { may, type BoardAction } from '@/lib/roles.ts';
import type { Presence, QueueItem, Role, SessionDetail } from '@/lib/wire.ts';
import { BoardContext, useConnection, type BoardScope } from '@/app/boards/[boardId]/board-context.tsx';
import { BoardVisit } from '@/app/boards/[boardId]/board-visit.ts';
import { readAnalysis } from '@/app/boards/[boardId]/analysis-link.ts';
import { useKeptAside } from '@/app/boards/[boardId]/kept-aside.ts';
import { Links } from '@/app/boards/[boardId]/links.ts';
import { useOutbox } from '@/app/boards/[boardId]/outbox.ts';
import { useRuns } from '@/app/boards/[boardId]/runs.ts';
import { useThreadMarks } from '@/app/boards/[boardId]/thread-marks.ts';
import { TokenPaint } from '@/app/boards/[boardId]/token-paint.ts';
import { useAnalyses } from '@/app/boards/[boardId]/use-analyses.ts';
import { useLive } from '@/app/boards/[boardId]/use-live.ts';
import type { Place } from '@/app/boards/[boardId]/use-selection.ts';
import type { Theme } from '@/app/ui/theme.ts';
import { boardAddress } from './board-address.ts';
import { FirstLook } from './first-look.tsx';
import { SessionFrame } from './session-frame.tsx';

export interface SessionProps {
  person: Presence['user'];
  /** under which they ever wrote: their own, and of the guests who turned out to be them */
  ids: string[];
  guest: boolean;
  role: Role;
  theme: Theme;
  detail: SessionDetail;
  /** null for who may not label */
  queue: QueueItem[] | null;
}

/** The client island of a session. It opens the board's documents: the discussion tells what changes, and threads are there. */
export function Session(props: SessionProps) {
  const { boardId } = props.detail;
  const { role } = props;
  const personId = props.person.id;
  const [visit, setVisit] = useState<BoardVisit | null>(null);
  useEffect(() => {
    const opened = new BoardVisit(boardId, personId, role);
    setVisit(opened);
    return () => opened.destroy();
  }, [boardId, personId, role]);
  return visit ? <OpenSession {...props} visit={visit} /> : <FirstLook detail={props.detail} />;
}

const NOWHERE: Place = {
  view: 'unravel',
  selection: null,
  comment: null,
  analysis: readAnalysis(new URLSearchParams(), ''),
  settings: {},
};
const NO_EVIDENCE: never[] = [];

function OpenSession({ visit, ...props }: SessionProps & { visit: BoardVisit }) {
  const { person, ids, guest, detail } = props;
  const { boardId } = detail;
  const read = () => visit.state;
  const { session, role, changing, notice } = useSyncExternalStore(visit.subscribe, read, read);
  const connection = useConnection(session);
  const comments = useLive(session.discussionDoc, readComments).records;
  const arrived = useMemo(() => new Set(comments.map((comment) => comment.id)), [comments]);
  const outbox = useOutbox(boardId, person.id, connection.status === 'connected', arrived);
  const runs = useRuns(boardId, NO_EVIDENCE);
  const aside = useKeptAside(person.id, boardId);
  const [place, setPlace] = useState(NOWHERE);
  const analyses = useAnalyses(place, setPlace);
  const marks = useThreadMarks(session, boardId, ids);
  // Nobody else's cursor is followed here, and nobody follows this one: it would tell which item is being looked at.
  const links = useMemo(() => new Links(() => {}), []);
  const paint = useMemo(() => new TokenPaint(), []);

  const scope: BoardScope = {
    boardId,
    workspaceId: null,
    person,
    ids,
    guest,
    session,
    setup: detail.setup,
    outbox,
    runs,
    aside,
    analyses,
    role,
    may: (action: BoardAction) => may(role, action) && !(changing && action === 'board.edit'),
    say: visit.say,
    select: (anchor) => {
      if (anchor !== null) window.open(boardAddress(boardId, anchor), '_blank', 'noopener');
    },
    show: () => {},
    selection: null,
    linkedComment: null,
    marks,
    links,
    paint,
    settings: place.settings,
    set: () => {},
  };
  return (
    <BoardContext value={scope}>
      <SessionFrame
        theme={props.theme}
        first={{ detail, queue: props.queue }}
        connection={connection}
        notice={notice}
        onDismiss={visit.dismiss}
      />
    </BoardContext>
  );
}
