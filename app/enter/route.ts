import { redeemOwnerLink } from '@/server/access.ts';
import { publicRoute, withCookies } from '@/server/http.ts';
import { isRefusal } from '@/server/refusal.ts';

const USED = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Pathboard</title>
<body style="font: 16px/1.5 system-ui; max-width: 40em; margin: 4em auto; padding: 0 1em">
<h1>This link has been used or is too old</h1>
<p>An owner link works once, within a day. Print a new one on the machine that runs Pathboard:</p>
<pre>npm run -s pathboard -- link</pre></body></html>`;

export const GET = publicRoute(async ({ app, person, request }) => {
  if (person?.owner) return toStart([]);
  try {
    return toStart(await redeemOwnerLink(app, new URL(request.url).searchParams.get('token') ?? '', request.headers));
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return new Response(USED, { status: 401, headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' } });
  }
});

/** Next would answer HEAD by GET, and a link preview would use the link up. */
export const HEAD = () => new Response(null, { status: 405, headers: { allow: 'GET' } });

function toStart(cookies: string[]): Response {
  const headers = { location: '/', 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' };
  return withCookies(new Response(null, { status: 303, headers }), cookies);
}
