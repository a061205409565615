import { requireMember } from '@/server/access.ts';
import { inviteToBoard } from '@/server/boards.ts';
import { route } from '@/server/http.ts';

export const POST = route<{ boardId: string }>(async ({ app, person, params: { boardId } }) =>
  inviteToBoard(app, await requireMember(app, person, boardId), boardId),
);
