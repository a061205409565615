'use client';
import { Button } from './button.tsx';
import { Fault } from './field.tsx';
import { request } from './request.ts';
import { strings } from './strings.ts';
import { useTask } from './use-task.ts';

/** A board was just deleted, and can be brought back at once. */
export function DeletedBoard({ boardId }: { boardId: string }) {
  const task = useTask();
  const undo = async () => {
    if (await task.run(() => request(`/api/boards/${boardId}/undelete`, { method: 'POST', body: {} })))
      location.assign(`/boards/${boardId}`);
  };
  return (
    <div role="status" className="mb-5 flex flex-wrap items-center gap-3 rounded-[3px] border border-line bg-sunken px-3 py-2 text-sm">
      {strings.bin.deleted}
      <Button small disabled={task.busy} onClick={undo}>
        {strings.bin.undo}
      </Button>
      {task.error ? <Fault>{task.error}</Fault> : null}
    </div>
  );
}
