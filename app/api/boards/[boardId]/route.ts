import { pagesOfDeleted } from '@/lib/wire.ts';
import { deleteBoard } from '@/server/bin.ts';
import { route } from '@/server/http.ts';
import { Refusal } from '@/server/refusal.ts';

export const DELETE = route<{ boardId: string }>(async ({ app, person, params: { boardId }, request }) => {
  const given = new URL(request.url).searchParams.get('pages') ?? 'keep';
  const wanted = pagesOfDeleted.safeParse(given);
  if (!wanted.success) throw new Refusal('bad-request', 'pages', 'keep or remove', JSON.stringify(given.slice(0, 100)));
  await deleteBoard(app, person, boardId, wanted.data);
});
