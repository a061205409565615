'use client';
import { useState } from 'react';
import { Button } from '@/app/ui/button.tsx';
import { Field } from '@/app/ui/field.tsx';
import { lineOf, request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';

export function JoinForm({ token, name: known }: { token: string; name: string }) {
  const [name, setName] = useState(known);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  const join = async () => {
    setBusy(true);
    await request<{ boardId: string }>('/api/join', { method: 'POST', body: { token, name } }).then(
      ({ boardId }) => location.assign(`/boards/${boardId}`),
      (cause: unknown) => {
        setBusy(false);
        setError(lineOf(cause));
      },
    );
  };

  return (
    <form action={join} className="grid max-w-sm gap-3">
      <Field label={strings.join.name} hint={strings.join.hint} error={error}>
        {(control) => (
          <input
            {...control}
            autoFocus
            autoComplete="name"
            maxLength={40}
            value={name}
            onChange={(event) => setName(event.target.value)}
            className="field"
          />
        )}
      </Field>
      <div>
        <Button type="submit" tone="main" disabled={busy}>
          {strings.join.submit}
        </Button>
      </div>
    </form>
  );
}
