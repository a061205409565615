import { resolveThread as resolveRequest } from '@/lib/wire.ts';
import { requireMember } from '@/server/access.ts';
import { resolveThread } from '@/server/discussion.ts';
import { readBody, route } from '@/server/http.ts';

export const POST = route<{ boardId: string; threadId: string }>(async ({ app, person, params: { boardId, threadId }, request }) => {
  const member = await requireMember(app, person, boardId);
  const { resolved } = await readBody(request, resolveRequest);
  return resolveThread(app, member, boardId, threadId, resolved);
});
