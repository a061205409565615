'use client';
import { useState } from 'react';
import type { Me } from '@/lib/wire.ts';
import { countUnsent, forgetPerson } from './browser-store.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { Fault } from './field.tsx';
import { lineOf, request } from './request.ts';
import { strings } from './strings.ts';

interface SignOutButtonProps {
  personId: string;
  guest: boolean;
  className?: string;
}

/** Signs out; asks first where something would be lost by it. */
export function SignOutButton({ personId, guest, className = '' }: SignOutButtonProps) {
  const [warnings, setWarnings] = useState<string[]>([]);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  const signOut = async () => {
    setBusy(true);
    const failed = await request('/api/auth/sign-out', { method: 'POST', body: {} }).then(() => null, lineOf);
    setBusy(false);
    setError(failed);
    if (failed !== null) return;
    forgetPerson(personId);
    location.assign('/');
  };

  const ask = async () => {
    const found = await warningsFor(personId, guest);
    setWarnings(found);
    if (found.length === 0) await signOut();
  };

  return (
    <>
      <button type="button" onClick={ask} disabled={busy} className={className}>
        {strings.signOut.button}
      </button>
      {error && warnings.length === 0 ? <Fault>{error}</Fault> : null}
      <Dialog title={strings.signOut.title} open={warnings.length > 0} onClose={() => setWarnings([])}>
        <div className="grid gap-3 text-sm text-ink">
          {warnings.map((warning) => (
            <p key={warning}>{warning}</p>
          ))}
          {error ? <Fault>{error}</Fault> : null}
          <div className="flex flex-wrap gap-2">
            {guest ? (
              <Button tone="main" onClick={() => location.assign('/account')}>
                {strings.signOut.makeAccount}
              </Button>
            ) : null}
            <Button onClick={signOut} disabled={busy}>
              {strings.signOut.anyway}
            </Button>
            <Button tone="quiet" onClick={() => setWarnings([])}>
              {strings.common.cancel}
            </Button>
          </div>
        </div>
      </Dialog>
    </>
  );
}

async function warningsFor(personId: string, guest: boolean): Promise<string[]> {
  const unsent = countUnsent(personId);
  // Without an answer nothing can be signed out of either, and that says why.
  const me = await request<Me>('/api/me').catch(() => null);
  return [
    ...(guest ? [strings.signOut.guest] : []),
    ...(me?.owner && me.email === null ? [strings.signOut.owner] : []),
    ...(unsent > 0 ? [strings.signOut.unsent(unsent)] : []),
  ];
}
