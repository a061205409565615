import { stanceRequest } from '@/lib/wire.ts';
import { takeStance } from '@/server/discussion.ts';
import { readBody, route } from '@/server/http.ts';

export const PUT = route<{ boardId: string; claimId: string }>(async ({ app, person, params: { boardId, claimId }, request }) =>
  takeStance(app, person, boardId, claimId, await readBody(request, stanceRequest)),
);
