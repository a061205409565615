'use client';
import { formatTime } from '@/lib/figures/numbers.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useLoaded } from '@/app/ui/use-loaded.ts';
import { useTask } from '@/app/ui/use-task.ts';
import { browserOf } from './browser-of.ts';

/** As better-auth tells it. */
interface Session {
  token: string;
  createdAt: string;
  userAgent?: string | null;
}

/** Every browser in which this person is signed in. */
export function Sessions() {
  const all = useLoaded<Session[]>('/api/auth/list-sessions');
  const here = useLoaded<{ session: Session } | null>('/api/auth/get-session');
  const task = useTask();
  const own = here.value?.session.token ?? null;
  const others = (all.value ?? []).filter(({ token }) => token !== own);

  const end = async (url: string, body: unknown) => {
    if (await task.run(() => request(url, { method: 'POST', body }))) all.reload();
  };

  const error = task.error ?? all.error ?? here.error;
  if (!all.value || own === null) return error ? <Fault>{error}</Fault> : <p className="text-sm text-soft">{strings.common.working}</p>;
  return (
    <>
      <ul className="divide-y divide-line border-y border-line text-sm" data-testid="sessions">
        {all.value
          .toSorted((a, b) => Number(b.token === own) - Number(a.token === own) || b.createdAt.localeCompare(a.createdAt))
          .map(({ token, userAgent, createdAt }) => (
            <li key={token} className="flex items-baseline gap-3 py-1.5">
              <span className="min-w-0 flex-1">
                {browserOf(userAgent ?? '') ?? strings.account.unknownBrowser}
                {token === own ? <b className="ml-2 text-xs font-semibold">{strings.account.thisOne}</b> : null}
                <span className="block text-xs text-soft">{strings.account.since(formatTime(Date.parse(createdAt)))}</span>
              </span>
              {token === own ? null : (
                <Button small tone="quiet" disabled={task.busy} onClick={() => end('/api/auth/revoke-session', { token })}>
                  {strings.account.end}
                </Button>
              )}
            </li>
          ))}
      </ul>
      {others.length > 0 ? (
        <Button small className="mt-2" disabled={task.busy} onClick={() => end('/api/auth/revoke-other-sessions', {})}>
          {strings.account.endOthers}
        </Button>
      ) : null}
      {error ? <Fault>{error}</Fault> : null}
    </>
  );
}
