import { makeOwnerLink } from '@/server/access.ts';
import { publicRoute } from '@/server/http.ts';
import { requireSecret } from '@/server/local-requests.ts';

export const POST = publicRoute(async ({ app, request }) => {
  requireSecret(app, request);
  return { url: await makeOwnerLink(app) };
});
