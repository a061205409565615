import { markRequest } from '@/lib/wire.ts';
import { readBody, route } from '@/server/http.ts';
import { markThread } from '@/server/notifications.ts';

export const PUT = route<{ boardId: string; threadId: string }>(async ({ app, person, params: { boardId, threadId }, request }) =>
  markThread(app, person, boardId, threadId, await readBody(request, markRequest)),
);
