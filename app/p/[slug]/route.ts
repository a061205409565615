import { servePage } from '@/server/published-response.ts';
import { route } from '@/server/http.ts';

export const GET = route<{ slug: string }>(async ({ app, params: { slug } }) => servePage(app, slug, null));
