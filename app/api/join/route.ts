import { joinRequest } from '@/lib/wire.ts';
import { publicRoute, readBody, withCookies } from '@/server/http.ts';
import { join, readInvitation } from '@/server/invites.ts';

export const GET = publicRoute(async ({ app, person, request }) =>
  readInvitation(app, new URL(request.url).searchParams.get('token') ?? '', person),
);

export const POST = publicRoute(async ({ app, person, request }) => {
  const { cookies, ...place } = await join(app, person, await readBody(request, joinRequest), request.headers);
  return withCookies(Response.json(place), cookies);
});
