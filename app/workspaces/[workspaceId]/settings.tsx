'use client';
import { useRouter } from 'next/navigation';
import { useState, type FormEvent } from 'react';
import { Button } from '@/app/ui/button.tsx';
import { request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { TextField } from '@/app/ui/text-field.tsx';
import { useTask } from '@/app/ui/use-task.ts';

interface SettingsProps {
  url: string;
  name: string;
}

export function Settings({ url, name }: SettingsProps) {
  return (
    <div className="grid max-w-md gap-8">
      <Renaming url={url} name={name} />
      <Deletion url={url} name={name} />
    </div>
  );
}

function Renaming({ url, name }: SettingsProps) {
  const router = useRouter();
  const [draft, setDraft] = useState(name);
  const task = useTask();

  const rename = async (event: FormEvent) => {
    event.preventDefault();
    if (await task.run(() => request(url, { method: 'PATCH', body: { name: draft } }))) router.refresh();
  };

  return (
    <form onSubmit={rename} aria-label={strings.workspaces.rename} className="grid gap-2">
      <TextField label={strings.workspaces.name} value={draft} onValue={setDraft} maxLength={100} required error={task.error} />
      <div>
        <Button type="submit" small disabled={task.busy || draft.trim() === '' || draft.trim() === name}>
          {strings.common.save}
        </Button>
      </div>
    </form>
  );
}

function Deletion({ url, name }: SettingsProps) {
  const [typed, setTyped] = useState('');
  const task = useTask();

  const remove = async (event: FormEvent) => {
    event.preventDefault();
    if (await task.run(() => request(url, { method: 'DELETE' }))) location.assign('/');
  };

  return (
    <form onSubmit={remove} aria-label={strings.workspaces.delete} className="grid gap-2 border-t border-line pt-5">
      <h2 className="text-sm font-semibold">{strings.workspaces.delete}</h2>
      <p className="text-xs text-soft">{strings.workspaces.deleteText}</p>
      <TextField label={strings.workspaces.deleteType(name)} value={typed} onValue={setTyped} autoComplete="off" error={task.error} />
      <div>
        <Button type="submit" small disabled={task.busy || typed !== name}>
          {strings.workspaces.delete}
        </Button>
      </div>
    </form>
  );
}
