import { newEvidence } from '@/lib/wire.ts';
import { addEvidence } from '@/server/discussion.ts';
import { readBody, route } from '@/server/http.ts';

export const POST = route<{ boardId: string; claimId: string }>(async ({ app, person, params: { boardId, claimId }, request }) =>
  addEvidence(app, person, boardId, claimId, await readBody(request, newEvidence)),
);
