import { newPublication } from '@/lib/wire.ts';
import { readBody, route } from '@/server/http.ts';
import { publish } from '@/server/publish.ts';

export const POST = route<{ boardId: string }>(async ({ app, person, params: { boardId }, request }) =>
  publish(app, person, boardId, await readBody(request, newPublication)),
);
