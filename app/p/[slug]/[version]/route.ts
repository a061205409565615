import { servePage } from '@/server/published-response.ts';
import { publicRoute } from '@/server/http.ts';

export const GET = publicRoute<{ slug: string; version: string }>(async ({ app, params: { slug, version } }) =>
  servePage(app, slug, version),
);
