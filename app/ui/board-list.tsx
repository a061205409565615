import Link from 'next/link';
import type { BoardSummary } from '@/lib/wire.ts';
import { formatTime } from '@/lib/figures/numbers.ts';
import { strings } from './strings.ts';

/** Boards listed at once. */
const RECENT = 8;

/** Boards, last changed first; older ones folded away. */
export function BoardList({ boards }: { boards: BoardSummary[] }) {
  return (
    <>
      <Items boards={boards.slice(0, RECENT)} />
      {boards.length > RECENT ? (
        <details className="mt-2">
          <summary className="text-xs text-soft">{strings.start.olderBoards(boards.length - RECENT)}</summary>
          <div className="mt-2">
            <Items boards={boards.slice(RECENT)} />
          </div>
        </details>
      ) : null}
    </>
  );
}

function Items({ boards }: { boards: BoardSummary[] }) {
  return (
    <ul className="divide-y divide-line border-y border-line empty:hidden">
      {boards.map((board) => (
        <li key={board.id}>
          <Link href={`/boards/${board.id}`} prefetch={false} className="block px-1 py-1.5 hover:bg-hover">
            <span className="flex items-baseline justify-between gap-3">
              <span className="truncate text-sm font-medium">{board.title || strings.board.untitled}</span>
              <span className="shrink-0 text-2xs text-soft">{formatTime(board.updatedAt)}</span>
            </span>
            <span className="flex justify-between gap-3 text-xs text-soft">
              <span className="truncate">
                {board.model}
                {board.prompt === board.title ? null : (
                  <>
                    {' · '}
                    <span className="font-mono">{board.prompt}</span>
                  </>
                )}
              </span>
              {board.role === 'commenter' || board.role === 'viewer' ? (
                <span className="shrink-0">{strings.roles.names[board.role]}</span>
              ) : null}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
