'use client';
import { strings } from '@/app/ui/strings.ts';
import type { Connection } from './board-session.ts';

/** Whether one's edits and comments have reached the server's disk: said only when the server has said so. */
export function ConnectionState({ connection, waiting }: { connection: Connection; waiting: number }) {
  const { status, trouble } = connection;
  const unsaved = connection.unsaved + waiting;
  const bad = status === 'offline' || status === 'closed';
  return (
    <span
      role="status"
      data-connection={status}
      data-unsaved={unsaved}
      className={`text-xs ${bad ? 'font-medium text-fault' : 'text-soft'}`}
    >
      {status !== 'connected' && status !== 'closed' && trouble !== null
        ? strings.connection.trouble[trouble](unsaved)
        : unsaved > 0 && status !== 'closed'
          ? strings.connection.unsaved(unsaved, status === 'connected')
          : strings.connection[status]}
    </span>
  );
}
