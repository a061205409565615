'use client';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { strings } from '@/app/ui/strings.ts';
import type { LabelEntry } from './label-entries.ts';
import type { LabelOutbox } from './use-label-outbox.ts';

/** What waits, what the server would not take, and what somebody else left in this browser. */
export function OutboxNotice({ outbox }: { outbox: LabelOutbox }) {
  const words = strings.sessions.outbox;
  const refused = outbox.entries.filter((entry) => entry.refused !== null);
  const waiting = outbox.entries.length - refused.length;
  return (
    <div data-testid="outbox" data-waiting={waiting} className="grid gap-2 text-xs empty:hidden">
      {waiting > 0 ? <p className="text-soft">{words.waiting(waiting)}</p> : null}
      {outbox.full && waiting > 0 ? <Fault>{words.full}</Fault> : null}
      {outbox.held > 0 ? <p className="border-l-2 border-dashed border-strong pl-2 text-soft">{words.held(outbox.held)}</p> : null}
      {refused.map((entry) => (
        <div key={entry.id} className="border-l-2 border-dashed border-strong pl-2">
          <p>
            {lineOf(entry)}: {words.refused}
            {entry.kind === 'label' && entry.note !== '' ? ` (${entry.note})` : ''}
          </p>
          <Fault>{entry.refused}</Fault>
          <span className="-ml-1.5 flex">
            <Button tone="quiet" small onClick={() => outbox.retry(entry.id)}>
              {strings.common.tryAgain}
            </Button>
            <Button tone="quiet" small onClick={() => outbox.drop(entry.id)}>
              {words.discard}
            </Button>
          </span>
        </div>
      ))}
    </div>
  );
}

function lineOf(entry: LabelEntry): string {
  const words = strings.sessions.outbox;
  switch (entry.kind) {
    case 'label':
      return words.label(entry.item, entry.label);
    case 'undo':
      return words.undo(entry.item);
    case 'skip':
      return words.skip(entry.item);
  }
}
