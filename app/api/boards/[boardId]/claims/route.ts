import { newClaim } from '@/lib/wire.ts';
import { requireMember } from '@/server/access.ts';
import { addClaim } from '@/server/discussion.ts';
import { readBody, route } from '@/server/http.ts';

export const POST = route<{ boardId: string }>(async ({ app, person, params: { boardId }, request }) => {
  const member = await requireMember(app, person, boardId);
  return addClaim(app, member, boardId, await readBody(request, newClaim));
});
