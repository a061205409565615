import type { Metadata } from 'next';
import { redirect } from 'next/navigation';
import { app } from '@/server/app.ts';
import { readInvitation } from '@/server/invites.ts';
import { isRefusal } from '@/server/refusal.ts';
import { PageFrame } from '@/app/ui/page-frame.tsx';
import { strings } from '@/app/ui/strings.ts';
import { visitor } from '@/app/ui/visitor.ts';
import { JoinForm } from './join-form.tsx';

export const metadata: Metadata = { title: strings.join.untitled, robots: { index: false }, referrer: 'no-referrer' };

export default async function JoinPage({ params }: { params: Promise<{ token: string }> }) {
  const { token } = await params;
  const person = await visitor();
  const invitation = await readInvitation(app(), token, person).catch((error: unknown) => {
    if (isRefusal(error)) return error;
    throw error;
  });
  if (isRefusal(invitation)) {
    return (
      <PageFrame>
        <h1 className="mb-2 text-base font-semibold">{strings.join.invalid}</h1>
        <p className="text-sm text-soft">{invitation.message}</p>
      </PageFrame>
    );
  }
  const { boardId, workspaceId, member, title, role } = invitation;
  if (member) redirect(boardId === null ? `/workspaces/${workspaceId}` : `/boards/${boardId}`);
  return (
    <PageFrame>
      <h1 className="mb-1 text-base font-semibold">{title ? strings.join.title(title) : strings.join.untitled}</h1>
      <p className="mb-4 text-sm text-soft">{strings.join.role(strings.roles.names[role], strings.roles.meanings[role])}</p>
      <JoinForm token={token} name={person?.name ?? ''} signedIn={person !== null} />
    </PageFrame>
  );
}
