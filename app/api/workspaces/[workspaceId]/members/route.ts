import { route } from '@/server/http.ts';
import { listWorkspaceMembers } from '@/server/members.ts';

export const GET = route<{ workspaceId: string }>(async ({ app, person, params: { workspaceId } }) =>
  listWorkspaceMembers(app, person, workspaceId),
);
