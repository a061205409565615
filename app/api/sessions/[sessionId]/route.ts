import { sessionChange } from '@/lib/wire.ts';
import { changeState } from '@/server/annotation/acts.ts';
import { readSession } from '@/server/annotation/sessions.ts';
import { readBody, route } from '@/server/http.ts';

export const GET = route<{ sessionId: string }>(({ app, person, params: { sessionId } }) => readSession(app, person, sessionId));

export const PATCH = route<{ sessionId: string }>(async ({ app, person, params: { sessionId }, request }) => {
  const { state } = await readBody(request, sessionChange);
  return changeState(app, person, sessionId, state);
});
