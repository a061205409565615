'use client';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import type { ModelUses } from '@/lib/model-wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { Dialog } from '@/app/ui/dialog.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useReady } from '@/app/ui/use-ready.ts';
import { useTask } from '@/app/ui/use-task.ts';

/** Boards that the dialog names. */
const NAMED = 8;

interface DeleteModelProps {
  name: string;
  hash: string;
  size: string;
  uses: ModelUses;
}

export function DeleteModel({ name, hash, size, uses }: DeleteModelProps) {
  const text = strings.models.delete;
  const router = useRouter();
  const ready = useReady();
  const task = useTask();
  const [open, setOpen] = useState(false);
  const count = uses.boards.length + uses.others;
  const isUsed = count + uses.pages > 0;

  const remove = async () => {
    const query = new URLSearchParams({ hash, ...(isUsed && { used: 'yes' }) });
    if (!(await task.run(() => request(`/api/models/${encodeURIComponent(name)}?${query}`, { method: 'DELETE' })))) return;
    router.push('/models');
    router.refresh();
  };

  return (
    <div className="mt-8">
      <Button small disabled={!ready} onClick={() => setOpen(true)}>
        {text.open}
      </Button>
      <Dialog title={text.title(name)} open={open} onClose={() => setOpen(false)}>
        <div className="grid gap-3 text-sm">
          <p>{text.text(size)}</p>
          {isUsed ? null : <p className="text-soft">{text.unused}</p>}
          {count > 0 ? (
            <div>
              <p>{text.used(count)}</p>
              <ul className="mt-1 list-disc pl-5 text-soft">
                {uses.boards.slice(0, NAMED).map(({ id, title }) => (
                  <li key={id}>{title || strings.board.untitled}</li>
                ))}
                {count > Math.min(NAMED, uses.boards.length) ? <li>{text.more(count - Math.min(NAMED, uses.boards.length))}</li> : null}
              </ul>
            </div>
          ) : null}
          {uses.pages > 0 ? <p>{text.pages(uses.pages)}</p> : null}
          {task.error ? <Fault>{task.error}</Fault> : null}
          <div className="flex flex-wrap gap-2">
            <Button tone="main" disabled={task.busy} onClick={remove}>
              {isUsed ? text.confirmUsed : text.confirm}
            </Button>
            <Button disabled={task.busy} onClick={() => setOpen(false)}>
              {strings.common.cancel}
            </Button>
          </div>
        </div>
      </Dialog>
    </div>
  );
}
