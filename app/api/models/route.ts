import { requirePerson } from '@/server/access.ts';
import { route } from '@/server/http.ts';

export const GET = route(async ({ app, person }) => {
  requirePerson(person);
  return app.models.list();
});
