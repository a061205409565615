import { deleteBoard } from '@/server/bin.ts';
import { route } from '@/server/http.ts';

export const DELETE = route<{ boardId: string }>(async ({ app, person, params: { boardId } }) => deleteBoard(app, person, boardId));
