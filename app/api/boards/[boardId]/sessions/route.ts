import { newSession } from '@/lib/wire.ts';
import { listSessions } from '@/server/annotation/sessions.ts';
import { makeSession } from '@/server/annotation/set-up.ts';
import { readBody, route } from '@/server/http.ts';

export const GET = route<{ boardId: string }>(({ app, person, params: { boardId } }) => listSessions(app, person, boardId));

export const POST = route<{ boardId: string }>(async ({ app, person, params: { boardId }, request }) =>
  makeSession(app, person, boardId, await readBody(request, newSession)),
);
