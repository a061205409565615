import { makeOwnerLink } from '@/server/access.ts';
import { SECRET_HEADER, holdsSecret } from '@/server/guard.ts';
import { route } from '@/server/http.ts';
import { Refusal } from '@/server/refusal.ts';

export const POST = route(async ({ app, request }) => {
  if (!holdsSecret(request.headers.get(SECRET_HEADER), app.config.secret)) {
    throw new Refusal('forbidden', SECRET_HEADER, 'the secret in server.json of PATHBOARD_HOME', 'another or none');
  }
  return { url: await makeOwnerLink(app) };
});
