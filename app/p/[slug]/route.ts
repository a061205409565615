import { servePage } from '@/server/published-response.ts';
import { publicRoute } from '@/server/http.ts';

export const GET = publicRoute<{ slug: string }>(async ({ app, params: { slug } }) => servePage(app, slug, null));
