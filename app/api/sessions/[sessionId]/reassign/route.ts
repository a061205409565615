import { reassignRequest } from '@/lib/wire.ts';
import { reassign } from '@/server/annotation/acts.ts';
import { readBody, route } from '@/server/http.ts';

export const POST = route<{ sessionId: string }>(async ({ app, person, params: { sessionId }, request }) =>
  reassign(app, person, sessionId, await readBody(request, reassignRequest)),
);
