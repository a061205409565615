'use client';
import { useEffect, useState } from 'react';
import { CopyButton } from '@/app/ui/copy-button.tsx';
import { Dialog } from '@/app/ui/dialog.tsx';
import { Fault, Field } from '@/app/ui/field.tsx';
import { lineOf, request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';

export function InviteDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog title={strings.invite.title} open={open} onClose={onClose}>
      <Invitation />
    </Dialog>
  );
}

function Invitation() {
  const { boardId } = useBoard();
  const [url, setUrl] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);

  useEffect(() => {
    const abort = new AbortController();
    request<{ url: string }>(`/api/boards/${boardId}/invites`, { method: 'POST', body: {}, signal: abort.signal }).then(
      (invite) => setUrl(new URL(invite.url, location.href).href),
      (cause: unknown) => setError(lineOf(cause)),
    );
    return () => abort.abort();
  }, [boardId]);

  if (error) return <Fault>{error}</Fault>;
  return (
    <>
      <Field label={strings.invite.link} hint={strings.invite.hint}>
        {(control) => (
          <span className="flex items-center gap-2">
            <input
              {...control}
              readOnly
              value={url ?? strings.common.working}
              onFocus={(event) => event.target.select()}
              className="field font-mono text-xs"
            />
            {url ? <CopyButton text={url} what={strings.invite.link} /> : null}
          </span>
        )}
      </Field>
    </>
  );
}
