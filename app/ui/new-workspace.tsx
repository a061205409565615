'use client';
import { useRouter } from 'next/navigation';
import { useState, type FormEvent } from 'react';
import { Button } from './button.tsx';
import { request } from './request.ts';
import { strings } from './strings.ts';
import { TextField } from './text-field.tsx';
import { useTask } from './use-task.ts';

export function NewWorkspace() {
  const router = useRouter();
  const [name, setName] = useState<string | null>(null);
  const task = useTask();

  const create = async (event: FormEvent) => {
    event.preventDefault();
    await task.run(async () => {
      const { id } = await request<{ id: string }>('/api/workspaces', { method: 'POST', body: { name } });
      router.push(`/workspaces/${id}`);
    });
  };

  if (name === null) {
    return (
      <Button small onClick={() => setName('')}>
        {strings.workspaces.make}
      </Button>
    );
  }
  return (
    <form onSubmit={create} className="grid gap-1.5">
      <TextField
        label={strings.workspaces.name}
        value={name}
        onValue={setName}
        maxLength={100}
        autoFocus
        required
        error={task.error}
        onKeyDown={(event) => event.key === 'Escape' && setName(null)}
      />
      <span className="flex gap-1.5">
        <Button type="submit" small disabled={task.busy || name.trim() === ''}>
          {strings.workspaces.create}
        </Button>
        <Button small tone="quiet" onClick={() => setName(null)}>
          {strings.common.cancel}
        </Button>
      </span>
    </form>
  );
}
