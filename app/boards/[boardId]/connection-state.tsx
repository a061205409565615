'use client';
import { CLOSE } from '@/lib/wire.ts';
import { strings } from '@/app/ui/strings.ts';
import type { Connection } from './board-session.ts';

export function closeSentence(code: number): string {
  const name = Object.entries(CLOSE).find(([, known]) => known === code)?.[0] as keyof typeof CLOSE | undefined;
  return name ? strings.closed[name] : strings.closed.other(code);
}

/** Whether one's edits and comments have reached the server's disk: said only when the server has said so. */
export function ConnectionState({ connection, waiting }: { connection: Connection; waiting: number }) {
  const { status, closeCode } = connection;
  const unsaved = connection.unsaved + waiting;
  const text =
    status === 'closed' && closeCode !== null
      ? closeSentence(closeCode)
      : unsaved > 0
        ? strings.connection.unsaved(unsaved, status === 'connected')
        : strings.connection[status];
  const bad = status === 'offline' || status === 'closed';
  return (
    <span
      role="status"
      data-connection={status}
      data-unsaved={unsaved}
      className={`text-xs ${bad ? 'font-medium text-fault' : 'text-soft'}`}
    >
      {text}
    </span>
  );
}
