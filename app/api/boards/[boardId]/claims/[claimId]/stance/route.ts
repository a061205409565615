import { stanceRequest } from '@/lib/wire.ts';
import { requireMember } from '@/server/access.ts';
import { takeStance } from '@/server/discussion.ts';
import { readBody, route } from '@/server/http.ts';

export const PUT = route<{ boardId: string; claimId: string }>(async ({ app, person, params: { boardId, claimId }, request }) => {
  const member = await requireMember(app, person, boardId);
  return takeStance(app, member, boardId, claimId, await readBody(request, stanceRequest));
});
