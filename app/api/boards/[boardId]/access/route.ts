import { authorise } from '@/server/access.ts';
import { route } from '@/server/http.ts';

export const GET = route<{ boardId: string }>(async ({ app, person, params: { boardId } }) => {
  const { role } = await authorise(app, person, 'board.read', boardId);
  return { role };
});
