import { tokenizeRequest } from '@/lib/wire.ts';
import { requirePerson } from '@/server/access.ts';
import { readBody, route } from '@/server/http.ts';

export const POST = route<{ name: string }>(async ({ app, person, params, request }) => {
  requirePerson(person);
  const { text, special } = await readBody(request, tokenizeRequest, 4_000_000);
  return { tokens: await app.models.tokenize(params.name, text, special) };
});
