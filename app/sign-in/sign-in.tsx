'use client';
import { useEffect, useState, type FormEvent } from 'react';
import type { Author, SignInOptions } from '@/lib/wire.ts';
import { countUnsent } from '@/app/ui/browser-store.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { NewPassword } from '@/app/ui/new-password.tsx';
import { TextField } from '@/app/ui/text-field.tsx';
import { useTask } from '@/app/ui/use-task.ts';
import { ProviderButtons } from './provider-buttons.tsx';

interface SignInProps {
  options: SignInOptions;
  guest: Author | null;
  to: string;
  /** a provider sent the person back with it */
  fault: string | null;
}

export function SignIn({ options, guest, to, fault }: SignInProps) {
  const [making, setMaking] = useState(false);
  return (
    <div className="grid max-w-sm gap-5">
      {fault ? <Fault>{fault}</Fault> : null}
      {guest ? <GuestNote guest={guest} /> : null}
      {making ? <MakeAccount to={to} /> : <Password to={to} />}
      <ProviderButtons providers={options.providers} to={to} label={strings.signIn.with} />
      <div className="border-t border-line pt-3 text-sm">
        {options.signUp === 'open' && guest === null ? (
          <>
            <p className="mb-1.5 text-xs text-soft">{strings.signIn.makeText}</p>
            <Button small onClick={() => setMaking(!making)}>
              {making ? strings.signIn.title : strings.signIn.make}
            </Button>
          </>
        ) : guest ? (
          <a href="/account" className="underline underline-offset-2">
            {strings.signIn.make}
          </a>
        ) : (
          <p className="text-xs text-soft">{strings.signIn.invited}</p>
        )}
      </div>
    </div>
  );
}

/** What the guest wrote offline is kept under the guest's id, so it has to be sent before. */
function GuestNote({ guest }: { guest: Author }) {
  const [unsent, setUnsent] = useState(0);
  useEffect(() => setUnsent(countUnsent(guest.id)), [guest.id]);
  return (
    <div className="rounded-[3px] border border-line bg-paper px-3 py-2 text-sm">
      <p>{strings.signIn.guest(guest.name)}</p>
      {unsent > 0 ? <Fault>{strings.signIn.guestUnsent(unsent)}</Fault> : null}
    </div>
  );
}

function Password({ to }: { to: string }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const task = useTask();

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const done = await task.run(() => request('/api/auth/sign-in/email', { method: 'POST', body: { email, password } }));
    if (done) location.assign(to);
  };

  return (
    <form onSubmit={submit} className="grid gap-3" aria-label={strings.signIn.title}>
      <TextField label={strings.signIn.email} value={email} onValue={setEmail} type="email" autoComplete="username" required autoFocus />
      <TextField
        label={strings.signIn.password}
        value={password}
        onValue={setPassword}
        type="password"
        autoComplete="current-password"
        required
        error={task.error}
      />
      <div>
        <Button type="submit" tone="main" disabled={task.busy}>
          {strings.signIn.submit}
        </Button>
      </div>
    </form>
  );
}

function MakeAccount({ to }: { to: string }) {
  const [fields, setFields] = useState({ name: '', email: '', password: '' });
  const task = useTask();
  const set = (name: keyof typeof fields) => (value: string) => setFields({ ...fields, [name]: value });

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const done = await task.run(() => request('/api/auth/sign-up/email', { method: 'POST', body: fields }));
    if (done) location.assign(to);
  };

  return (
    <form onSubmit={submit} className="grid gap-3" aria-label={strings.signIn.make}>
      <TextField
        label={strings.signIn.name}
        value={fields.name}
        onValue={set('name')}
        autoComplete="name"
        maxLength={40}
        required
        autoFocus
      />
      <TextField label={strings.signIn.email} value={fields.email} onValue={set('email')} type="email" autoComplete="username" required />
      <NewPassword value={fields.password} onValue={set('password')} error={task.error} />
      <div>
        <Button type="submit" tone="main" disabled={task.busy}>
          {strings.signIn.make}
        </Button>
      </div>
    </form>
  );
}
