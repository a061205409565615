import { transferRequest } from '@/lib/wire.ts';
import { readBody, route } from '@/server/http.ts';
import { transferWorkspace } from '@/server/members.ts';

export const POST = route<{ workspaceId: string }>(async ({ app, person, params: { workspaceId }, request }) => {
  const { personId } = await readBody(request, transferRequest);
  return transferWorkspace(app, person, workspaceId, personId);
});
