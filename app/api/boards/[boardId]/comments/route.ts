import { newComment } from '@/lib/wire.ts';
import { addComment } from '@/server/discussion.ts';
import { readBody, route } from '@/server/http.ts';

export const POST = route<{ boardId: string }>(async ({ app, person, params: { boardId }, request }) =>
  addComment(app, person, boardId, await readBody(request, newComment)),
);
