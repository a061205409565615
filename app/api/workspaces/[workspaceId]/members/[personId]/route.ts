import { roleRequest } from '@/lib/wire.ts';
import { readBody, route } from '@/server/http.ts';
import { changeWorkspaceRole, removeFromWorkspace } from '@/server/members.ts';

interface Params extends Record<string, string> {
  workspaceId: string;
  personId: string;
}

export const PATCH = route<Params>(async ({ app, person, params: { workspaceId, personId }, request }) => {
  const { role } = await readBody(request, roleRequest);
  return changeWorkspaceRole(app, person, workspaceId, personId, role);
});

export const DELETE = route<Params>(async ({ app, person, params: { workspaceId, personId } }) =>
  removeFromWorkspace(app, person, workspaceId, personId),
);
