import { Refusal } from './refusal.ts';
import type { App } from './app.ts';
import type { Person } from './access.ts';
import { answerWith } from './http.ts';
import { embedOf } from './published-embed.ts';
import { publishedFile } from './published-files.ts';
import { framePage, type Page } from './published-frame.ts';
import { pathTo } from './published-parts.ts';
import { findVersion, listVersions, type StoredVersion } from './publish.ts';
import { findReport, verifyPage, type Address } from './verify-page.ts';
import { reportOf } from '../lib/figures/report.ts';
import type { VerifyEvent } from '../lib/wire.ts';

const MISSING = `<!doctype html><html lang="en"><meta charset="utf-8"><title>No such page</title>
<body style="font: 16px/1.5 system-ui; max-width: 40em; margin: 4em auto; padding: 0 1em">
<h1>No such page</h1><p>Nothing is published under this address.</p></body></html>`;

/** Only a file of ours runs, and nothing is loaded from elsewhere. */
const policy = (frames: string, scripts: string) =>
  `default-src 'none'; ${scripts}style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors ${frames}`;
const HTML = { 'content-type': 'text/html; charset=utf-8', 'x-content-type-options': 'nosniff', 'referrer-policy': 'same-origin' };
const PAGE = { ...HTML, 'content-security-policy': policy("'none'", "script-src 'self'; connect-src 'self'; frame-src 'self'; ") };
/** The one thing of ours that other sites may show in a frame. */
const EMBED = {
  ...HTML,
  'content-security-policy': policy('*', ''),
  'cross-origin-resource-policy': 'cross-origin',
};

/** What an address can hold; nothing else reaches the database, which keeps no U+0000. */
const SLUG = /^[a-z0-9-]{1,100}$/;

/** `version` as in the address, `v2`; null for the latest. */
export async function servePage(app: App, slug: string, version: string | null): Promise<Response> {
  const found = await find(app, slug, version);
  if (!found) return missing();
  const [versions, verified] = await Promise.all([listVersions(app, slug), findReport(app, found)]);
  const html = framePage(found.html, pageOf(app, found), { versions, verified });
  return new Response(html, { headers: { ...PAGE, 'cache-control': 'no-cache' } });
}

export async function serveEmbed(app: App, slug: string, version: string): Promise<Response> {
  const found = await find(app, slug, version);
  if (!found) return missing();
  const { snapshot, title } = found;
  const html = embedOf({ title, url: `${app.config.publicUrl}${pathTo(found)}`, snapshot });
  return new Response(html, { headers: { ...EMBED, 'cache-control': 'no-cache' } });
}

/** The page's data, tables, figures and citations. */
export async function serveFile(app: App, slug: string, version: string, file: string): Promise<Response> {
  const found = await find(app, slug, version);
  const made = found && (await publishedFile(app, found, file));
  if (!made) return missing();
  const headers = {
    'content-type': made.type,
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'cross-origin',
    'access-control-allow-origin': '*',
    'cache-control': 'no-cache',
  };
  return new Response(made.body, { headers });
}

/** The last report, without computing anything. */
export async function serveReport(app: App, slug: string, version: string): Promise<unknown> {
  const found = await find(app, slug, version);
  const stored = found && (await findReport(app, found));
  if (stored) return stored;
  throw new Refusal('not-found', 'report', 'one on this page as it is now', 'none');
}

/** Asked by a form, it answers with the page; asked by a script, with progress and the report. */
export async function serveVerification(
  app: App,
  person: Person | null,
  { slug, version, request }: { slug: string; version: string; request: Request },
): Promise<Response> {
  const address = addressOf(slug, version);
  if (!address) throw new Refusal('not-found', 'page', 'a published version', JSON.stringify(`/p/${slug}/${version}`.slice(0, 100)));
  const again = new URL(request.url).searchParams.get('again') === '1';
  if (request.headers.get('accept')?.includes('text/html')) {
    await verifyPage(app, person, address, again, { signal: request.signal });
    return new Response(null, { status: 303, headers: { location: `${pathTo(address)}#verification` } });
  }
  return answerWith(
    request,
    (options) => verifyPage(app, person, address, again, options),
    (stored): VerifyEvent => ({ type: 'report', ...stored, html: reportOf(stored).toString() }),
  );
}

/** The version at an address, or null. */
export async function find(app: App, slug: string, version: string | null): Promise<StoredVersion | null> {
  if (version === null) return SLUG.test(slug) ? findVersion(app, slug, null) : null;
  const address = addressOf(slug, version);
  return address && findVersion(app, address.slug, address.version);
}

function addressOf(slug: string, version: string): Address | null {
  const number = /^v([1-9]\d{0,8})$/.exec(version)?.[1];
  return number !== undefined && SLUG.test(slug) ? { slug, version: Number(number) } : null;
}

export function missing(): Response {
  return new Response(MISSING, { status: 404, headers: PAGE });
}

function pageOf({ config }: App, found: StoredVersion): Page {
  const { slug, version, title, hasCard, snapshot } = found;
  return { slug, version, title, hasCard, snapshot, origin: config.publicUrl };
}
