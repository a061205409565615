import { editClaim as editRequest } from '@/lib/wire.ts';
import { editClaim } from '@/server/discussion.ts';
import { readBody, route } from '@/server/http.ts';

export const PATCH = route<{ boardId: string; claimId: string }>(async ({ app, person, params: { boardId, claimId }, request }) => {
  const { text } = await readBody(request, editRequest);
  return editClaim(app, person, boardId, claimId, text);
});
