'use client';
import { readSessions } from '@/lib/board/discussion-doc.ts';
import { Button } from '@/app/ui/button.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { useLive } from './use-live.ts';

/** To the annotation sessions of the board; says how many are going on. */
export function SessionsButton({ onOpen }: { onOpen: () => void }) {
  const { session } = useBoard();
  const running = useLive(session.discussionDoc, readSessions).records.filter(({ state }) => state === 'open').length;
  return (
    <Button small onClick={onOpen}>
      {strings.sessions.button}
      {running > 0 ? ` (${running})` : ''}
    </Button>
  );
}
