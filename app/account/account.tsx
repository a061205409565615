'use client';
import { useRouter } from 'next/navigation';
import { useState, type FormEvent, type ReactNode } from 'react';
import type { Author, Me } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { request } from '@/app/ui/request.ts';
import { SignOutButton } from '@/app/ui/sign-out.tsx';
import { strings } from '@/app/ui/strings.ts';
import { NewPassword } from '@/app/ui/new-password.tsx';
import { TextField } from '@/app/ui/text-field.tsx';
import { useTask } from '@/app/ui/use-task.ts';
import { ProviderButtons } from '../sign-in/provider-buttons.tsx';
import { AsideList } from './aside-list.tsx';
import { Sessions } from './sessions.tsx';

interface AccountProps {
  person: Author;
  email: string | null;
  guest: boolean;
  providers: readonly string[];
  /** a provider sent the person back with it */
  fault: string | null;
}

export function Account({ person, email, guest, providers, fault }: AccountProps) {
  return (
    <div className="grid max-w-xl gap-8">
      {fault ? <Fault>{fault}</Fault> : null}
      <NameForm person={person} />
      {email === null ? (
        <Part title={strings.account.make} text={guest ? strings.account.makeGuest : strings.account.makeOwner}>
          <MakeAccount />
          <div className="mt-4">
            <ProviderButtons providers={providers} to="/account" label={strings.account.link} mode="link" />
          </div>
        </Part>
      ) : (
        <Part title={strings.account.password} text={`${strings.account.email}: ${email}`}>
          <PasswordForm />
        </Part>
      )}
      <AsideList personId={person.id} />
      {guest ? null : (
        <Part title={strings.account.sessions}>
          <Sessions />
        </Part>
      )}
      <div>
        <SignOutButton
          personId={person.id}
          guest={guest}
          className="rounded-[3px] border border-strong bg-paper px-3 py-1.5 text-sm font-medium hover:bg-hover"
        />
      </div>
    </div>
  );
}

function Part({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  return (
    <section>
      <h2 className="mb-1 text-sm font-semibold">{title}</h2>
      {text ? <p className="mb-3 text-sm text-soft">{text}</p> : null}
      {children}
    </section>
  );
}

function NameForm({ person }: { person: Author }) {
  const router = useRouter();
  const [name, setName] = useState(person.name);
  const [saved, setSaved] = useState(false);
  const task = useTask();

  const save = async (event: FormEvent) => {
    event.preventDefault();
    setSaved(false);
    const done = await task.run(() => request<Me>('/api/me', { method: 'PATCH', body: { name } }));
    setSaved(done);
    if (done) router.refresh();
  };

  return (
    <form onSubmit={save} className="grid max-w-sm gap-3">
      <TextField
        label={strings.account.name}
        hint={strings.account.nameHint}
        value={name}
        onValue={setName}
        maxLength={40}
        autoComplete="name"
        error={task.error}
      />
      <div className="flex items-center gap-3">
        <Button type="submit" small disabled={task.busy || name.trim() === person.name}>
          {strings.common.save}
        </Button>
        <span role="status" className="text-xs text-soft">
          {saved ? strings.account.saved : null}
        </span>
      </div>
    </form>
  );
}

function MakeAccount() {
  const router = useRouter();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const task = useTask();

  const make = async (event: FormEvent) => {
    event.preventDefault();
    const done = await task.run(() => request<Me>('/api/me/account', { method: 'POST', body: { email, password } }));
    if (done) router.refresh();
  };

  return (
    <form onSubmit={make} aria-label={strings.account.make} className="grid max-w-sm gap-3">
      <TextField label={strings.account.email} value={email} onValue={setEmail} type="email" autoComplete="username" required />
      <NewPassword value={password} onValue={setPassword} error={task.error} />
      <div>
        <Button type="submit" tone="main" disabled={task.busy}>
          {strings.account.makeSubmit}
        </Button>
      </div>
    </form>
  );
}

function PasswordForm() {
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [changed, setChanged] = useState(false);
  const task = useTask();

  const change = async (event: FormEvent) => {
    event.preventDefault();
    const body = { currentPassword: current, newPassword: next, revokeOtherSessions: true };
    const done = await task.run(() => request('/api/auth/change-password', { method: 'POST', body }));
    setChanged(done);
    if (!done) return;
    setCurrent('');
    setNext('');
  };

  return (
    <form onSubmit={change} aria-label={strings.account.password} className="grid max-w-sm gap-3">
      <TextField
        label={strings.account.currentPassword}
        value={current}
        onValue={setCurrent}
        type="password"
        autoComplete="current-password"
        required
      />
      <NewPassword label={strings.account.newPassword} value={next} onValue={setNext} error={task.error} />
      <div className="flex items-center gap-3">
        <Button type="submit" small disabled={task.busy}>
          {strings.account.changePassword}
        </Button>
        <span role="status" className="text-xs text-soft">
          {changed ? strings.account.passwordChanged : null}
        </span>
      </div>
    </form>
  );
}
