import { tokenizeRequest } from '@/lib/wire.ts';
import { readBody, route } from '@/server/http.ts';

export const POST = route<{ name: string }>(async ({ app, params, request }) => {
  const { text, special } = await readBody(request, tokenizeRequest, 4_000_000);
  return { tokens: await app.models.tokenize(params.name, text, special) };
});
