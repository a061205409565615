import { resolveThread as resolveRequest } from '@/lib/wire.ts';
import { resolveThread } from '@/server/discussion.ts';
import { readBody, route } from '@/server/http.ts';

export const POST = route<{ boardId: string; threadId: string }>(async ({ app, person, params: { boardId, threadId }, request }) => {
  const { resolved } = await readBody(request, resolveRequest);
  return resolveThread(app, person, boardId, threadId, resolved);
});
