'use client';
import { useEffect, useState } from 'react';
import { boardOf, storedKeys } from '@/app/ui/browser-store.ts';
import { Button } from '@/app/ui/button.tsx';
import { CopyButton } from '@/app/ui/copy-button.tsx';
import { strings } from '@/app/ui/strings.ts';
import { linesOf, useKeptAside } from '../boards/[boardId]/kept-aside.ts';

/** Edits that could not be sent, also to boards that this person can no longer open. */
export function AsideList({ personId }: { personId: string }) {
  const [boardIds, setBoardIds] = useState<string[]>([]);
  useEffect(() => setBoardIds(storedKeys('aside', personId).map(boardOf)), [personId]);
  if (boardIds.length === 0) return null;
  return (
    <section>
      <h2 className="mb-1 text-sm font-semibold">{strings.account.aside}</h2>
      <p className="mb-2 text-sm text-soft">{strings.account.asideText}</p>
      <ul className="divide-y divide-line border-y border-line text-sm">
        {boardIds.map((boardId) => (
          <AsideOfBoard key={boardId} personId={personId} boardId={boardId} />
        ))}
      </ul>
    </section>
  );
}

function AsideOfBoard({ personId, boardId }: { personId: string; boardId: string }) {
  const { list, drop } = useKeptAside(personId, boardId);
  return list.map(({ id, why, changes }) => {
    const lines = linesOf(changes);
    return (
      <li key={id} className="py-1.5">
        <p className="text-xs text-soft">{strings.aside.why[why]}</p>
        {lines.map((line) => (
          <p key={line} className="break-words">
            {line}
          </p>
        ))}
        <span className="-ml-1.5 flex items-baseline gap-1">
          <CopyButton text={lines.join('\n')} what={strings.aside.heading} label={strings.aside.copy} />
          <a href={`/boards/${boardId}`} className="px-1.5 text-xs underline underline-offset-2">
            {strings.account.openBoard}
          </a>
          <Button small tone="quiet" onClick={() => drop(id)}>
            {strings.outbox.discard}
          </Button>
        </span>
      </li>
    );
  });
}
