'use client';
import { useState } from 'react';
import { readSessions } from '@/lib/board/discussion-doc.ts';
import type { SessionSummary } from '@/lib/wire.ts';
import { formatTime } from '@/lib/figures/numbers.ts';
import { Button } from '@/app/ui/button.tsx';
import { Dialog } from '@/app/ui/dialog.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useLoaded } from '@/app/ui/use-loaded.ts';
import { useBoard } from './board-context.tsx';
import { SessionSetUp } from './session-set-up.tsx';
import { useLive } from './use-live.ts';

/** The annotation sessions of a board, and setting one up. */
export function SessionsDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog title={strings.sessions.title} open={open} onClose={onClose} wide>
      <Sessions />
    </Dialog>
  );
}

function Sessions() {
  const { may } = useBoard();
  const [making, setMaking] = useState(false);
  const words = strings.sessions;
  if (making) return <SessionSetUp onBack={() => setMaking(false)} />;
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
      <p className="text-xs text-soft">{words.meaning}</p>
      <SessionList />
      {may('board.facilitate') ? (
        <div>
          <Button small tone="main" onClick={() => setMaking(true)}>
            {words.make}
          </Button>
        </div>
      ) : null}
    </div>
  );
}

/** From the discussion, so that it is there at once and stays true; one's own progress is the API's to tell. */
function SessionList() {
  const { boardId, session } = useBoard();
  const words = strings.sessions;
  const records = useLive(session.discussionDoc, readSessions).records.toReversed();
  const summaries = useLoaded<SessionSummary[]>(records.length > 0 ? `/api/boards/${boardId}/sessions` : null);
  if (records.length === 0) return <p className="text-sm text-soft">{words.none}</p>;
  return (
    <>
      <ul aria-label={words.title} className="divide-y divide-line border-y border-line text-sm">
        {records.map(({ id, name, state, items, annotators, facilitator, createdAt }) => {
          const mine = summaries.value?.find((summary) => summary.id === id)?.mine ?? null;
          return (
            <li key={id} data-session={name} className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 py-1.5">
              <a href={`/sessions/${id}`} className="min-w-0 font-medium break-words underline underline-offset-2">
                {name}
              </a>
              <span className="rounded-[3px] border border-strong px-1 text-2xs">{words.states[state]}</span>
              {mine && mine.tasks > 0 ? <span className="text-xs">{words.mine(mine.done, mine.tasks)}</span> : null}
              <span className="ml-auto text-xs text-soft">
                {words.facts(items, annotators)}, {words.byFacilitator(facilitator.name)}, {formatTime(createdAt)}
              </span>
            </li>
          );
        })}
      </ul>
      {summaries.error ? <Fault>{summaries.error}</Fault> : null}
    </>
  );
}
