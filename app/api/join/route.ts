import { joinRequest } from '@/lib/wire.ts';
import { join, readInvitation } from '@/server/access.ts';
import { sessionCookie } from '@/server/cookies.ts';
import { readBody, route } from '@/server/http.ts';

export const GET = route(async ({ app, person, request }) =>
  readInvitation(app, new URL(request.url).searchParams.get('token') ?? '', person),
);

export const POST = route(async ({ app, person, request }) => {
  const { boardId, session } = await join(app, person, await readBody(request, joinRequest));
  return Response.json({ boardId }, { headers: session === null ? {} : { 'set-cookie': sessionCookie(session) } });
});
