import type { Metadata } from 'next';
import { cookies } from 'next/headers';
import { notFound } from 'next/navigation';
import { requireMember } from '@/server/access.ts';
import { app } from '@/server/app.ts';
import { listBoards } from '@/server/boards.ts';
import { colorOf } from '@/server/realtime/presence.ts';
import { isRefusal } from '@/server/refusal.ts';
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
  const opened = await open(boardId);
  if (!opened) notFound();
  const { person, board } = opened;
  const theme = themeOf((await cookies()).get(THEME_COOKIE)?.value);
  const user = { id: person.id, name: person.name, color: colorOf(person.id) };
  return <Board boardId={boardId} person={user} theme={theme} title={board.title} model={board.model} prompt={board.prompt} />;
}

/** The board and who looks at it, or null for anybody else. */
async function open(boardId: string) {
  try {
    const person = await requireMember(app(), await visitor(), boardId);
    const board = (await listBoards(app(), person)).find(({ id }) => id === boardId);
    return board ? { person, board } : null;
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
}
