import { skipRequest } from '@/lib/wire.ts';
import { skipItem } from '@/server/annotation/labels.ts';
import { readBody, route } from '@/server/http.ts';

export const POST = route<{ sessionId: string }>(async ({ app, person, params: { sessionId }, request }) => {
  const { item } = await readBody(request, skipRequest);
  return skipItem(app, person, sessionId, item);
});
