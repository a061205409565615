'use client';
import type { SessionDetail } from '@/lib/wire.ts';
import { strings } from '@/app/ui/strings.ts';

/** What the server already knows of the session, until its documents are being opened. */
export function FirstLook({ detail }: { detail: SessionDetail }) {
  const { sessions } = strings;
  return (
    <main className="mx-auto flex max-w-3xl flex-col gap-3 px-4 py-8">
      <h1 className="text-base font-semibold">{detail.name}</h1>
      <p className="text-sm text-soft">
        {sessions.states[detail.state]} · {sessions.facts(detail.items, detail.annotators)}
      </p>
      <p role="status" className="text-sm text-soft">
        {sessions.page.loading}
      </p>
    </main>
  );
}
