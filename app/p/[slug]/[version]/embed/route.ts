import { publicRoute } from '@/server/http.ts';
import { serveEmbed } from '@/server/published-response.ts';

export const GET = publicRoute<{ slug: string; version: string }>(async ({ app, params: { slug, version } }) =>
  serveEmbed(app, slug, version),
);
