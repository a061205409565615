'use client';
import { useRouter } from 'next/navigation';
import type { BoardSummary } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useLoaded } from '@/app/ui/use-loaded.ts';
import { useTask } from '@/app/ui/use-task.ts';

/** Deleted boards, to be brought back. */
export function Bin({ url }: { url: string }) {
  const router = useRouter();
  const bin = useLoaded<BoardSummary[]>(url);
  const task = useTask();

  const undelete = async (id: string) => {
    if (!(await task.run(() => request(`/api/boards/${id}/undelete`, { method: 'POST', body: {} })))) return;
    bin.reload();
    router.refresh();
  };

  return (
    <section aria-labelledby="bin" className="mt-8">
      <h2 id="bin" className="text-sm font-semibold">
        {strings.workspaces.bin}
      </h2>
      <p className="mb-2 text-xs text-soft">{strings.workspaces.binText}</p>
      {bin.value?.length === 0 ? <p className="text-sm text-soft">{strings.workspaces.binEmpty}</p> : null}
      <ul className="divide-y divide-line border-y border-line text-sm empty:hidden">
        {(bin.value ?? []).map(({ id, title }) => (
          <li key={id} className="flex items-center justify-between gap-3 px-1 py-1">
            <span className="truncate">{title || strings.board.untitled}</span>
            <Button
              small
              disabled={task.busy}
              aria-label={`${strings.workspaces.undelete}: ${title || strings.board.untitled}`}
              onClick={() => undelete(id)}
            >
              {strings.workspaces.undelete}
            </Button>
          </li>
        ))}
      </ul>
      {(bin.error ?? task.error) ? <Fault>{bin.error ?? task.error}</Fault> : null}
    </section>
  );
}
