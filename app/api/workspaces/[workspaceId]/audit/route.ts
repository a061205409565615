import { listAudit } from '@/server/audit-log.ts';
import { route } from '@/server/http.ts';

export const GET = route<{ workspaceId: string }>(async ({ app, person, params: { workspaceId }, request }) =>
  listAudit(app, person, workspaceId, new URL(request.url).searchParams.get('before')),
);
