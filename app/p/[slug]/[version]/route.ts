import { servePage } from '@/server/published-response.ts';
import { route } from '@/server/http.ts';

export const GET = route<{ slug: string; version: string }>(async ({ app, params: { slug, version } }) => servePage(app, slug, version));
