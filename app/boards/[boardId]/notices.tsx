'use client';
import { useState } from 'react';
import { Button } from '@/app/ui/button.tsx';
import { CopyButton } from '@/app/ui/copy-button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { formatTime } from '@/lib/figures/numbers.ts';
import { lineOf } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import type { Notice } from './board-visit.ts';
import { linesOf, type KeptAside } from './kept-aside.ts';
import { applyAgain } from './own-edits.ts';

interface NoticesProps {
  notice: Notice | null;
  onDismiss: () => void;
}

/** What happened to this person's access, and edits that could not be sent. */
export function Notices({ notice, onDismiss }: NoticesProps) {
  const { aside } = useBoard();
  return (
    <>
      <div role="status" data-testid="notice">
        {notice ? (
          <p
            className={`flex flex-wrap items-baseline gap-x-3 border-b border-line px-3 py-1.5 text-sm ${notice.calm ? 'bg-sunken' : 'bg-fault-ground font-medium text-fault'}`}
          >
            <span className="min-w-0 flex-1">
              {notice.text} {notice.signIn ? <SignInLink /> : null}
            </span>
            {notice.final ? null : (
              <Button tone="quiet" small onClick={onDismiss}>
                {strings.common.dismiss}
              </Button>
            )}
          </p>
        ) : null}
      </div>
      {aside.list.map((one) => (
        <AsidePanel key={one.id} kept={one} />
      ))}
    </>
  );
}

/** Back to this place after signing in. */
export function SignInLink() {
  return (
    <a href={`/sign-in?to=${encodeURIComponent(location.pathname + location.search)}`} className="underline underline-offset-2">
      {strings.signIn.title}
    </a>
  );
}

function AsidePanel({ kept }: { kept: KeptAside }) {
  const { aside, session, may } = useBoard();
  const [error, setError] = useState<string | null>(null);
  const lines = linesOf(kept.changes);

  const apply = () => {
    try {
      for (const change of kept.changes) applyAgain(session.boardDoc, change);
      aside.drop(kept.id);
    } catch (cause) {
      setError(lineOf(cause));
    }
  };

  return (
    <section aria-label={strings.aside.heading} data-testid="kept-aside" className="border-b border-line bg-sunken px-3 py-2 text-sm">
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
        <h2 className="text-xs font-semibold">{strings.aside.heading}</h2>
        <p className="min-w-0 flex-1 basis-64 text-xs text-soft">
          {strings.aside.why[kept.why]} <time dateTime={new Date(kept.at).toISOString()}>{formatTime(kept.at)}</time>
        </p>
        <span className="flex gap-1">
          {may('board.edit') ? (
            <Button small onClick={apply}>
              {strings.aside.apply}
            </Button>
          ) : null}
          <CopyButton text={lines.join('\n')} what={strings.aside.heading} label={strings.aside.copy} />
          <Button tone="quiet" small onClick={() => aside.drop(kept.id)}>
            {strings.outbox.discard}
          </Button>
        </span>
      </div>
      <ul className="mt-1 max-h-28 overflow-y-auto">
        {lines.map((line) => (
          <li key={line} className="break-words">
            {line}
          </li>
        ))}
      </ul>
      {error ? <Fault>{error}</Fault> : null}
    </section>
  );
}
