import { backupResponse } from '@/server/backup/serve.ts';
import { publicRoute, readBody } from '@/server/http.ts';
import { backupRequest, requireSecret } from '@/server/local-requests.ts';

export const POST = publicRoute(async ({ app, request }) => {
  requireSecret(app, request);
  const { withModels } = await readBody(request, backupRequest);
  return backupResponse(app, withModels, request.signal);
});
