import { roleRequest } from '@/lib/wire.ts';
import { readBody, route } from '@/server/http.ts';
import { changeBoardRole, removeFromBoard } from '@/server/members.ts';

interface Params extends Record<string, string> {
  boardId: string;
  personId: string;
}

export const PATCH = route<Params>(async ({ app, person, params: { boardId, personId }, request }) => {
  const { role } = await readBody(request, roleRequest);
  return changeBoardRole(app, person, boardId, personId, role);
});

export const DELETE = route<Params>(async ({ app, person, params: { boardId, personId } }) =>
  removeFromBoard(app, person, boardId, personId),
);
