import { publicRoute } from '@/server/http.ts';
import { serveReport, serveVerification } from '@/server/published-response.ts';

export const GET = publicRoute<{ slug: string; version: string }>(async ({ app, params: { slug, version } }) =>
  serveReport(app, slug, version),
);

export const POST = publicRoute<{ slug: string; version: string }>(async ({ app, person, params: { slug, version }, request }) =>
  serveVerification(app, person, { slug, version, request }),
);
