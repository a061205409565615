import { readRequest } from '@/lib/wire.ts';
import { readBody, route } from '@/server/http.ts';
import { listNotifications, readNotifications } from '@/server/notifications.ts';

export const GET = route(async ({ app, person }) => listNotifications(app, person));

export const POST = route(async ({ app, person, request }) => {
  const { ids } = await readBody(request, readRequest);
  return readNotifications(app, person, ids);
});
