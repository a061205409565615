import type { Metadata } from 'next';
import { redirect } from 'next/navigation';
import { app } from '@/server/app.ts';
import { localPath } from '@/app/ui/local-path.ts';
import { PageFrame } from '@/app/ui/page-frame.tsx';
import { strings } from '@/app/ui/strings.ts';
import { visitor } from '@/app/ui/visitor.ts';
import { OwnerHint } from './owner-hint.tsx';
import { SignIn } from './sign-in.tsx';

export const metadata: Metadata = { title: strings.signIn.title };

interface SignInPageProps {
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}

export default async function SignInPage({ searchParams }: SignInPageProps) {
  const asked = await searchParams;
  const to = localPath(asked['to']);
  const person = await visitor();
  if (person && !person.guest) redirect(to);
  const { auth, config } = app();
  const fault = asked['error_description'] ?? asked['error'];
  return (
    <PageFrame>
      <h1 className="mb-4 text-base font-semibold">{strings.signIn.title}</h1>
      <SignIn
        options={{ providers: auth.providers, signUp: config.signUp }}
        guest={person && { id: person.id, name: person.name }}
        to={to}
        fault={fault === undefined ? null : strings.signIn.failed(String(fault))}
      />
      <div className="mt-10">
        <OwnerHint />
      </div>
    </PageFrame>
  );
}
