import { newPublication } from '@/lib/wire.ts';
import { requireMember } from '@/server/access.ts';
import { readBody, route } from '@/server/http.ts';
import { publish } from '@/server/publish.ts';

export const POST = route<{ boardId: string }>(async ({ app, person, params: { boardId }, request }) => {
  const member = await requireMember(app, person, boardId);
  return publish(app, member, boardId, await readBody(request, newPublication));
});
