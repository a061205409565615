import type { Metadata } from 'next';
import { cookies } from 'next/headers';
import { notFound, redirect } from 'next/navigation';
import { cache } from 'react';
import { idsOf } from '@/server/access.ts';
import { readQueue } from '@/server/annotation/labels.ts';
import { openSession, readSession } from '@/server/annotation/sessions.ts';
import { app } from '@/server/app.ts';
import { colorOf } from '@/server/realtime/presence.ts';
import { isRefusal } from '@/server/refusal.ts';
import { may } from '@/lib/roles.ts';
import { id } from '@/lib/wire.ts';
import { THEME_COOKIE, themeOf } from '@/app/ui/theme.ts';
import { visitor } from '@/app/ui/visitor.ts';
import { Session } from './session.tsx';

interface SessionPageProps {
  params: Promise<{ sessionId: string }>;
}

export async function generateMetadata({ params }: SessionPageProps): Promise<Metadata> {
  const opened = await open((await params).sessionId);
  return { title: opened?.detail.name ?? '' };
}

export default async function SessionPage({ params }: SessionPageProps) {
  const { sessionId } = await params;
  if (!(await visitor())) redirect(`/sign-in?to=/sessions/${encodeURIComponent(sessionId)}`);
  const opened = await open(sessionId);
  if (!opened) notFound();
  const { member, ids, detail, queue } = opened;
  const theme = themeOf((await cookies()).get(THEME_COOKIE)?.value);
  return (
    <Session
      person={{ id: member.id, name: member.name, color: colorOf(member.id) }}
      ids={[...ids]}
      guest={member.guest}
      role={member.role}
      theme={theme}
      detail={detail}
      queue={queue}
    />
  );
}

/** The session, who looks at it and their queue; null for anybody else. */
const open = cache(async (sessionId: string) => {
  const person = await visitor();
  if (!person || !id.safeParse(sessionId).success) return null;
  try {
    const { member } = await openSession(app(), person, sessionId, 'board.read');
    const detail = await readSession(app(), member, sessionId);
    const queue = may(member.role, 'board.annotate') ? await readQueue(app(), member, sessionId) : null;
    return { member, ids: await idsOf(app().db, member), detail, queue };
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
});
