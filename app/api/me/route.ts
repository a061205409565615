import { renameRequest } from '@/lib/wire.ts';
import { meOf, rename, requirePerson } from '@/server/access.ts';
import { readBody, route } from '@/server/http.ts';

export const GET = route(async ({ person }) => meOf(person));

export const PATCH = route(async ({ app, person, request }) => {
  const someone = requirePerson(person);
  const { name } = await readBody(request, renameRequest);
  return meOf(await rename(app, someone, name));
});
