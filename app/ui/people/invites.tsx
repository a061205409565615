'use client';
import { useState, type FormEvent } from 'react';
import type { Invite, Role } from '@/lib/wire.ts';
import { formatTime } from '@/lib/figures/numbers.ts';
import { Button } from '../button.tsx';
import { CopyButton } from '../copy-button.tsx';
import { Fault, Field } from '../field.tsx';
import { request } from '../request.ts';
import { strings } from '../strings.ts';
import { TextField } from '../text-field.tsx';
import { useLoaded } from '../use-loaded.ts';
import { useTask } from '../use-task.ts';
import { GIVEN_ROLES } from './role-select.tsx';

/** Links by which people join a board or a workspace: making one, which there are, taking one back. */
export function Invites({ url }: { url: string }) {
  const invites = useLoaded<Invite[]>(`${url}/invites`);
  return (
    <>
      <InviteForm url={`${url}/invites`} onMade={invites.reload} />
      <div className="mt-4">
        {invites.error ? <Fault>{invites.error}</Fault> : null}
        {invites.value ? <InviteList invites={invites.value} onChange={invites.reload} /> : null}
      </div>
    </>
  );
}

function InviteForm({ url, onMade }: { url: string; onMade: () => void }) {
  const [role, setRole] = useState<Role>('editor');
  const [days, setDays] = useState('30');
  const [uses, setUses] = useState('');
  const [made, setMade] = useState<(Invite & { url: string }) | null>(null);
  const task = useTask();

  const make = async (event: FormEvent) => {
    event.preventDefault();
    const body = { role, expiresIn: Number(days), maxUses: uses.trim() === '' ? null : Number(uses) };
    await task.run(async () => setMade(await request<Invite & { url: string }>(url, { method: 'POST', body })));
    onMade();
  };

  return (
    <form onSubmit={make} aria-label={strings.invites.make} className="grid grid-cols-[minmax(0,1fr)] gap-2">
      <div className="flex flex-wrap items-end gap-3">
        <Field label={strings.invites.role} className="max-w-full">
          {(control) => (
            <select
              {...control}
              value={role}
              onChange={(event) => setRole(event.target.value as Role)}
              className="field h-8 w-full text-sm"
            >
              {GIVEN_ROLES.map((one) => (
                <option key={one} value={one}>
                  {strings.roles.names[one]}: {strings.roles.meanings[one]}
                </option>
              ))}
            </select>
          )}
        </Field>
        <TextField label={strings.invites.days} value={days} onValue={setDays} type="number" min={1} max={365} required className="w-36" />
        <TextField
          label={strings.invites.uses}
          value={uses}
          onValue={setUses}
          type="number"
          min={1}
          max={10_000}
          placeholder={strings.invites.anyone}
          className="w-36"
        />
        <Button type="submit" tone="main" disabled={task.busy}>
          {strings.invites.make}
        </Button>
      </div>
      {task.error ? <Fault>{task.error}</Fault> : null}
      {made ? (
        <Field label={`${strings.invites.link}, ${strings.roles.names[made.role]}`} hint={strings.invites.once}>
          {(control) => (
            <span className="flex items-center gap-2">
              <input
                {...control}
                readOnly
                value={made.url}
                data-testid="invite-link"
                onFocus={(event) => event.target.select()}
                className="field font-mono text-xs"
              />
              <CopyButton text={made.url} what={strings.invites.link} />
            </span>
          )}
        </Field>
      ) : null}
    </form>
  );
}

function InviteList({ invites, onChange }: { invites: readonly Invite[]; onChange: () => void }) {
  const [now] = useState(Date.now);
  const open = invites.filter((invite) => stateOf(invite, now) === 'open');
  const shut = invites.filter((invite) => stateOf(invite, now) !== 'open');
  return (
    <>
      {open.length === 0 ? <p className="text-xs text-soft">{strings.invites.none}</p> : null}
      <Rows invites={open} now={now} onChange={onChange} />
      {shut.length > 0 ? (
        <details className="mt-2">
          <summary className="text-xs text-soft">{strings.invites.older(shut.length)}</summary>
          <Rows invites={shut} now={now} onChange={onChange} />
        </details>
      ) : null}
    </>
  );
}

interface RowsProps {
  invites: readonly Invite[];
  now: number;
  onChange: () => void;
}

function Rows({ invites, now, onChange }: RowsProps) {
  const task = useTask();
  const revoke = async (id: string) => {
    if (await task.run(() => request(`/api/invites/${id}`, { method: 'DELETE' }))) onChange();
  };
  return (
    <>
      <ul aria-label={strings.invites.title} className="divide-y divide-line border-y border-line text-sm empty:hidden">
        {invites.map((invite) => {
          const state = stateOf(invite, now);
          return (
            <li key={invite.id} data-invite={invite.role} data-state={state} className="flex flex-wrap items-baseline gap-x-3 py-1">
              <span className="font-medium">{strings.roles.names[invite.role]}</span>
              <span className="min-w-40 flex-1 text-xs text-soft">
                {strings.invites.used(invite.uses, invite.maxUses)} · {strings.invites.until(formatTime(invite.expiresAt))} ·{' '}
                {strings.invites.by(invite.createdBy)}
              </span>
              {state === 'open' ? (
                <Button
                  small
                  tone="quiet"
                  disabled={task.busy}
                  aria-label={strings.invites.revokeRole(strings.roles.names[invite.role])}
                  onClick={() => revoke(invite.id)}
                >
                  {strings.invites.revoke}
                </Button>
              ) : (
                <span className="text-xs text-soft">{strings.invites.states[state]}</span>
              )}
            </li>
          );
        })}
      </ul>
      {task.error ? <Fault>{task.error}</Fault> : null}
    </>
  );
}

function stateOf({ revokedAt, expiresAt, maxUses, uses }: Invite, now: number): keyof typeof strings.invites.states {
  if (revokedAt !== null) return 'revoked';
  if (expiresAt <= now) return 'expired';
  return maxUses !== null && uses >= maxUses ? 'used up' : 'open';
}
