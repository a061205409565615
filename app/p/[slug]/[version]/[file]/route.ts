import { publicRoute } from '@/server/http.ts';
import { serveFile } from '@/server/published-response.ts';

export const GET = publicRoute<{ slug: string; version: string; file: string }>(async ({ app, params: { slug, version, file } }) =>
  serveFile(app, slug, version, file),
);
