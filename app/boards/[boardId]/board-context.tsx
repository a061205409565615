'use client';
import { createContext, use, useSyncExternalStore } from 'react';
import { readComments, readThreads } from '@/lib/board/discussion-doc.ts';
import type { BoardAction } from '@/lib/roles.ts';
import type { Presence, Role, Setup } from '@/lib/wire.ts';
import type { BoardSession, Connection } from './board-session.ts';
import type { Aside } from './kept-aside.ts';
import type { Links } from './links.ts';
import type { Marks } from './thread-marks.ts';
import type { Outbox } from './outbox.ts';
import type { Runs } from './runs.ts';
import type { TokenPaint } from './token-paint.ts';
import type { Analyses } from './use-analyses.ts';
import { useLive } from './use-live.ts';
import type { BoardView } from './use-selection.ts';

/** What every part of an open board needs. */
export interface BoardScope {
  boardId: string;
  /** null for who is on this board alone */
  workspaceId: string | null;
  person: Presence['user'];
  /** under which the person ever wrote */
  ids: readonly string[];
  guest: boolean;
  session: BoardSession;
  setup: Setup;
  outbox: Outbox;
  runs: Runs;
  /** edits that could not be sent */
  aside: Aside;
  analyses: Analyses;
  /** null: access was lost */
  role: Role | null;
  /** what the person may do now; the server has the last word */
  may: (action: BoardAction) => boolean;
  /** tells the person what was just done */
  say: (text: string) => void;
  /** shows a path, node, token or mechanism in the view and in the inspector; null: nothing */
  select: (anchor: string | null, comment?: string | null) => void;
  show: (view: BoardView) => void;
  /** what is in the inspector */
  selection: string | null;
  /** the comment of the selection that a link leads to */
  linkedComment: string | null;
  /** how far this person has read the board's threads */
  marks: Marks;
  /** what is under whose cursor */
  links: Links;
  /** what is shown on the token strip */
  paint: TokenPaint;
  /** of the views, in the address: {@link useSetting}; those of the inspector (`inspector.name`) are there in every view */
  settings: Readonly<Record<string, string>>;
  set: (name: string, value: string | null) => void;
}

export const BoardContext = createContext<BoardScope | null>(null);

export function useBoard(): BoardScope {
  const scope = use(BoardContext);
  if (!scope) throw new Error('useBoard: expected to be inside an open board');
  return scope;
}

export function useConnection(session: BoardSession): Connection {
  const read = () => session.connection;
  return useSyncExternalStore(session.subscribe, read, read);
}

export function useDiscussion(session: BoardSession) {
  const threads = useLive(session.discussionDoc, readThreads).records;
  const comments = useLive(session.discussionDoc, readComments).records;
  return { threads, comments };
}
