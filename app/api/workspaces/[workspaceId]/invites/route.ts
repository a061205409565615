import { newInvite } from '@/lib/wire.ts';
import { readBody, route } from '@/server/http.ts';
import { listWorkspaceInvites, makeWorkspaceInvite } from '@/server/invites.ts';

export const GET = route<{ workspaceId: string }>(async ({ app, person, params: { workspaceId } }) =>
  listWorkspaceInvites(app, person, workspaceId),
);

export const POST = route<{ workspaceId: string }>(async ({ app, person, params: { workspaceId }, request }) =>
  makeWorkspaceInvite(app, person, workspaceId, await readBody(request, newInvite)),
);
