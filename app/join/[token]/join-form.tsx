'use client';
import { useState } from 'react';
import { Button } from '@/app/ui/button.tsx';
import { request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { TextField } from '@/app/ui/text-field.tsx';
import { useTask } from '@/app/ui/use-task.ts';

interface JoinFormProps {
  token: string;
  /** as the others know the person already */
  name: string;
  signedIn: boolean;
}

export function JoinForm({ token, name: known, signedIn }: JoinFormProps) {
  const [name, setName] = useState(known);
  const task = useTask();

  const join = () =>
    task.run(async () => {
      const body = { token, name };
      const joined = await request<{ boardId: string | null; workspaceId: string }>('/api/join', { method: 'POST', body });
      location.assign(joined.boardId === null ? `/workspaces/${joined.workspaceId}` : `/boards/${joined.boardId}`);
    });

  return (
    <form action={async () => void (await join())} className="grid max-w-sm gap-3">
      <TextField
        label={strings.join.name}
        hint={strings.join.hint}
        error={task.error}
        autoFocus
        autoComplete="name"
        maxLength={40}
        value={name}
        onValue={setName}
      />
      <div className="flex items-center gap-4">
        <Button type="submit" tone="main" disabled={task.busy}>
          {strings.join.submit}
        </Button>
        {signedIn ? null : (
          <a href={`/sign-in?to=${encodeURIComponent(`/join/${token}`)}`} className="text-sm underline underline-offset-2">
            {strings.join.signIn}
          </a>
        )}
      </div>
    </form>
  );
}
