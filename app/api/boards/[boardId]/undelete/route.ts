import { undeleteBoard } from '@/server/bin.ts';
import { route } from '@/server/http.ts';

export const POST = route<{ boardId: string }>(async ({ app, person, params: { boardId } }) => undeleteBoard(app, person, boardId));
