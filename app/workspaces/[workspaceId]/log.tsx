'use client';
import { useEffect, useState } from 'react';
import type { AuditEntry } from '@/lib/wire.ts';
import { formatTime } from '@/lib/figures/numbers.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { request } from '@/app/ui/request.ts';
import { ScrollRegion } from '@/app/ui/scroll-region.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useTask } from '@/app/ui/use-task.ts';

const PAGE = 100;

/** Who did what that others must be able to look up, newest first. */
export function Log({ url }: { url: string }) {
  const [entries, setEntries] = useState<AuditEntry[] | null>(null);
  const [more, setMore] = useState(false);
  const { run, busy, error } = useTask();

  useEffect(() => {
    void run(async () => {
      const first = await request<AuditEntry[]>(`${url}/audit`);
      setEntries(first);
      setMore(first.length === PAGE);
    });
  }, [url, run]);

  const older = () =>
    run(async () => {
      const next = await request<AuditEntry[]>(`${url}/audit?before=${entries?.at(-1)?.id}`);
      setEntries([...(entries ?? []), ...next]);
      setMore(next.length === PAGE);
    });

  if (!entries) return error ? <Fault>{error}</Fault> : <p className="text-sm text-soft">{strings.common.working}</p>;
  if (entries.length === 0) return <p className="text-sm text-soft">{strings.log.none}</p>;
  const { columns } = strings.log;
  return (
    <>
      <ScrollRegion label={strings.workspaces.sections.log}>
        <table className="w-full text-sm">
          <thead>
            <tr className="border-b border-line text-left text-2xs text-soft [&>th]:py-1 [&>th]:pr-4 [&>th]:font-normal">
              <th scope="col">{columns.at}</th>
              <th scope="col">{columns.who}</th>
              <th scope="col">{columns.what}</th>
              <th scope="col">{columns.details}</th>
            </tr>
          </thead>
          <tbody>
            {entries.map((entry) => (
              <tr key={entry.id} data-action={entry.action} className="border-b border-line align-baseline [&>td]:py-1 [&>td]:pr-4">
                <td className="whitespace-nowrap text-xs text-soft">{formatTime(entry.at)}</td>
                <td>{entry.personName}</td>
                <td className="min-w-40">
                  {strings.log.actions[entry.action] ?? entry.action}
                  {entry.boardId === null ? null : (
                    <>
                      {' '}
                      <a href={`/boards/${entry.boardId}`} className="text-xs text-soft underline underline-offset-2">
                        {strings.log.board}
                      </a>
                    </>
                  )}
                </td>
                <td className="min-w-48 text-xs break-words text-soft">{detailsOf(entry)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
      {more ? (
        <Button small className="mt-3" disabled={busy} onClick={older}>
          {strings.log.older}
        </Button>
      ) : null}
      {error ? <Fault>{error}</Fault> : null}
    </>
  );
}

/** Ids say nothing to a person, and names are there beside them. */
function detailsOf({ details }: AuditEntry): string {
  return Object.entries(details)
    .filter(([name, value]) => value !== null && !/id$/i.test(name))
    .map(
      ([name, value]) =>
        `${strings.log.details[name] ?? name}: ${name.endsWith('At') && typeof value === 'number' ? formatTime(value) : value}`,
    )
    .join(', ');
}
