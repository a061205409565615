import { accountRequest } from '@/lib/wire.ts';
import { meOf } from '@/server/access.ts';
import { readBody, route } from '@/server/http.ts';
import { becomeAccount } from '@/server/sign-in.ts';

export const POST = route(async ({ app, person, request }) =>
  meOf(await becomeAccount(app, person, await readBody(request, accountRequest))),
);
