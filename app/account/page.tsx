import type { Metadata } from 'next';
import { redirect } from 'next/navigation';
import { meOf } from '@/server/access.ts';
import { app } from '@/server/app.ts';
import { PageFrame } from '@/app/ui/page-frame.tsx';
import { strings } from '@/app/ui/strings.ts';
import { visitor } from '@/app/ui/visitor.ts';
import { Account } from './account.tsx';

export const metadata: Metadata = { title: strings.account.title };

interface AccountPageProps {
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}

export default async function AccountPage({ searchParams }: AccountPageProps) {
  const asked = await searchParams;
  const person = await visitor();
  const { person: author, ...me } = meOf(person);
  if (!author) redirect('/sign-in?to=/account');
  const fault = asked['error_description'] ?? asked['error'];
  return (
    <PageFrame>
      <h1 className="mb-5 text-base font-semibold">{strings.account.title}</h1>
      <Account
        person={author}
        email={me.email}
        guest={me.guest}
        providers={app().auth.providers}
        fault={fault === undefined ? null : strings.signIn.failed(String(fault))}
      />
    </PageFrame>
  );
}
