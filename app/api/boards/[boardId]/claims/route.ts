import { newClaim } from '@/lib/wire.ts';
import { addClaim } from '@/server/discussion.ts';
import { readBody, route } from '@/server/http.ts';

export const POST = route<{ boardId: string }>(async ({ app, person, params: { boardId }, request }) =>
  addClaim(app, person, boardId, await readBody(request, newClaim)),
);
