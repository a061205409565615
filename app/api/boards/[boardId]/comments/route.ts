import { newComment } from '@/lib/wire.ts';
import { requireMember } from '@/server/access.ts';
import { addComment } from '@/server/discussion.ts';
import { readBody, route } from '@/server/http.ts';

export const POST = route<{ boardId: string }>(async ({ app, person, params: { boardId }, request }) => {
  const member = await requireMember(app, person, boardId);
  return addComment(app, member, boardId, await readBody(request, newComment));
});
