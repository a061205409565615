import { requireMember } from '@/server/access.ts';
import { repeatEvidence } from '@/server/discussion.ts';
import { route } from '@/server/http.ts';

export const POST = route<{ boardId: string; evidenceId: string }>(async ({ app, person, params: { boardId, evidenceId }, request }) => {
  const member = await requireMember(app, person, boardId);
  return repeatEvidence(app, member, boardId, evidenceId, { signal: request.signal });
});
