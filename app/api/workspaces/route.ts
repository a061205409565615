import { workspaceRequest } from '@/lib/wire.ts';
import { readBody, route } from '@/server/http.ts';
import { createWorkspace, listWorkspaces } from '@/server/workspaces.ts';

export const GET = route(async ({ app, person }) => listWorkspaces(app, person));

export const POST = route(async ({ app, person, request }) => {
  const { name } = await readBody(request, workspaceRequest);
  return createWorkspace(app, person, name);
});
