import type { App } from './app.ts';
import { findPage } from './publish.ts';

const MISSING = `<!doctype html><html lang="en"><meta charset="utf-8"><title>No such page</title>
<body style="font: 16px/1.5 system-ui; max-width: 40em; margin: 4em auto; padding: 0 1em">
<h1>No such page</h1><p>Nothing is published under this address.</p></body></html>`;

/** Nothing on a published page runs, loads or is framed; it is exactly what was stored. */
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
};

/** What an address can hold; nothing else reaches the database, which keeps no U+0000. */
const SLUG = /^[a-z0-9-]{1,100}$/;

/** `version` as in the address, `v2`; null for the latest. */
export async function servePage(app: App, slug: string, version: string | null): Promise<Response> {
  const number = version === null ? null : /^v([1-9]\d{0,8})$/.exec(version)?.[1];
  const html = number === undefined || !SLUG.test(slug) ? null : await findPage(app, slug, number === null ? null : Number(number));
  if (html === null) return new Response(MISSING, { status: 404, headers: HEADERS });
  return new Response(html, { headers: { ...HEADERS, 'cache-control': 'no-cache' } });
}
