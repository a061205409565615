'use client';
import { useState, type FormEvent } from 'react';
import { Button } from '@/app/ui/button.tsx';
import { Field } from '@/app/ui/field.tsx';
import { lineOf } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { createClaim } from './attach-form.tsx';
import { useBoard } from './board-context.tsx';

export function ClaimForm({ anchor }: { anchor: string | null }) {
  const { boardId, may } = useBoard();
  const [text, setText] = useState('');
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  if (!may('board.comment')) return null;

  const create = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const failed = await createClaim(boardId, anchor, text).then(() => null, lineOf);
    setBusy(false);
    setError(failed);
    if (failed === null) setText('');
  };

  return (
    <form onSubmit={create} className="grid gap-1.5">
      <Field label={strings.claims.sentence} bare error={error}>
        {(control) => (
          <textarea
            {...control}
            rows={2}
            maxLength={500}
            value={text}
            placeholder={strings.claims.placeholder}
            onChange={(event) => setText(event.target.value)}
            className="field text-sm"
          />
        )}
      </Field>
      <div>
        <Button type="submit" small disabled={busy || text.trim() === ''}>
          {strings.claims.create}
        </Button>
      </div>
    </form>
  );
}
