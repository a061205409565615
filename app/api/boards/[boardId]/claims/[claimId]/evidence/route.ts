import { newEvidence } from '@/lib/wire.ts';
import { requireMember } from '@/server/access.ts';
import { addEvidence } from '@/server/discussion.ts';
import { readBody, route } from '@/server/http.ts';

export const POST = route<{ boardId: string; claimId: string }>(async ({ app, person, params: { boardId, claimId }, request }) => {
  const member = await requireMember(app, person, boardId);
  return addEvidence(app, member, boardId, claimId, await readBody(request, newEvidence));
});
