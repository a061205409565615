import { route } from '@/server/http.ts';

const LISTED = 50;

export const GET = route<{ name: string }>(async ({ app, params, request }) => {
  const query = new URL(request.url).searchParams.get('q') ?? '';
  return { tokens: await app.models.searchTokens(params.name, query.slice(0, 200), LISTED) };
});
