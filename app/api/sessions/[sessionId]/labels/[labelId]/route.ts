import { newLabel } from '@/lib/wire.ts';
import { putLabel, removeLabel } from '@/server/annotation/labels.ts';
import { readBody, route } from '@/server/http.ts';

interface Params extends Record<string, string> {
  sessionId: string;
  labelId: string;
}

export const PUT = route<Params>(async ({ app, person, params: { sessionId, labelId }, request }) =>
  putLabel(app, person, sessionId, labelId, await readBody(request, newLabel)),
);

export const DELETE = route<Params>(({ app, person, params: { sessionId, labelId } }) => removeLabel(app, person, sessionId, labelId));
