import { workspaceRequest } from '@/lib/wire.ts';
import { readBody, route } from '@/server/http.ts';
import { deleteWorkspace, renameWorkspace } from '@/server/workspaces.ts';

export const PATCH = route<{ workspaceId: string }>(async ({ app, person, params: { workspaceId }, request }) => {
  const { name } = await readBody(request, workspaceRequest);
  return renameWorkspace(app, person, workspaceId, name);
});

export const DELETE = route<{ workspaceId: string }>(async ({ app, person, params: { workspaceId } }) =>
  deleteWorkspace(app, person, workspaceId),
);
