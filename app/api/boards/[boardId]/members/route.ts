import { route } from '@/server/http.ts';
import { listBoardMembers } from '@/server/members.ts';

export const GET = route<{ boardId: string }>(async ({ app, person, params: { boardId } }) => listBoardMembers(app, person, boardId));
