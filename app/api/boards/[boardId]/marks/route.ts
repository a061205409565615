import { route } from '@/server/http.ts';
import { listMarks, markAllRead } from '@/server/notifications.ts';

export const GET = route<{ boardId: string }>(async ({ app, person, params: { boardId } }) => listMarks(app, person, boardId));

export const POST = route<{ boardId: string }>(async ({ app, person, params: { boardId } }) => markAllRead(app, person, boardId));
