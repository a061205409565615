import { transferRequest } from '@/lib/wire.ts';
import { readBody, route } from '@/server/http.ts';
import { transferBoard } from '@/server/members.ts';

export const POST = route<{ boardId: string }>(async ({ app, person, params: { boardId }, request }) => {
  const { personId } = await readBody(request, transferRequest);
  return transferBoard(app, person, boardId, personId);
});
