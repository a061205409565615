import { renameRequest } from '@/lib/wire.ts';
import { meOf, rename } from '@/server/access.ts';
import { publicRoute, readBody, route } from '@/server/http.ts';

export const GET = publicRoute(async ({ person }) => meOf(person));

export const PATCH = route(async ({ app, person, request }) => {
  const { name } = await readBody(request, renameRequest);
  return meOf(await rename(app, person, name));
});
