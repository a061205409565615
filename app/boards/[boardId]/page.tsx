import type { Metadata } from 'next';
import { cookies } from 'next/headers';
import { notFound, redirect } from 'next/navigation';
import { cache } from 'react';
import { authorise, idsOf } from '@/server/access.ts';
import { app } from '@/server/app.ts';
import { findBoard } from '@/server/boards.ts';
import { colorOf } from '@/server/realtime/presence.ts';
import { isRefusal } from '@/server/refusal.ts';
import { listWorkspaces } from '@/server/workspaces.ts';
import { THEME_COOKIE, themeOf } from '@/app/ui/theme.ts';
import { visitor } from '@/app/ui/visitor.ts';
import { Board } from './board.tsx';

interface BoardPageProps {
  params: Promise<{ boardId: string }>;
}

export async function generateMetadata({ params }: BoardPageProps): Promise<Metadata> {
  const opened = await open((await params).boardId);
  return { title: opened?.board.title ?? '' };
}

export default async function BoardPage({ params }: BoardPageProps) {
  const { boardId } = await params;
  if (!(await visitor())) redirect(`/sign-in?to=/boards/${encodeURIComponent(boardId)}`);
  const opened = await open(boardId);
  if (!opened) notFound();
  const { member, ids, board, workspace } = opened;
  const theme = themeOf((await cookies()).get(THEME_COOKIE)?.value);
  return (
    <Board
      boardId={boardId}
      workspaceId={workspace?.id ?? null}
      person={{ id: member.id, name: member.name, color: colorOf(member.id) }}
      ids={[...ids]}
      guest={member.guest}
      role={member.role}
      theme={theme}
      title={board.title}
      model={board.model}
      prompt={board.prompt}
    />
  );
}

/** The board, who looks at it and its workspace where they are in it; null for anybody else. */
const open = cache(async (boardId: string) => {
  try {
    const member = await authorise(app(), await visitor(), 'board.read', boardId);
    const board = await findBoard(app(), member, boardId);
    const workspaces = await listWorkspaces(app(), member);
    const workspace = workspaces.find(({ id, role }) => id === member.workspaceId && role !== null) ?? null;
    return board && { member, ids: await idsOf(app().db, member), board, workspace };
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
});
