import { annotatorRequest } from '@/lib/wire.ts';
import { addAnnotator } from '@/server/annotation/acts.ts';
import { readBody, route } from '@/server/http.ts';

export const POST = route<{ sessionId: string }>(async ({ app, person, params: { sessionId }, request }) => {
  const { personId } = await readBody(request, annotatorRequest);
  return addAnnotator(app, person, sessionId, personId);
});
