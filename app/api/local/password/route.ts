import { setPasswordLocally } from '@/server/local-password.ts';
import { publicRoute, readBody } from '@/server/http.ts';
import { passwordRequest, requireSecret } from '@/server/local-requests.ts';

export const POST = publicRoute(async ({ app, request }) => {
  requireSecret(app, request);
  return setPasswordLocally(app, await readBody(request, passwordRequest));
});
