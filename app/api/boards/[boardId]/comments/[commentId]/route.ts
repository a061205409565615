import { editComment as editRequest } from '@/lib/wire.ts';
import { deleteComment, editComment } from '@/server/discussion.ts';
import { readBody, route } from '@/server/http.ts';

interface Params extends Record<string, string> {
  boardId: string;
  commentId: string;
}

export const PATCH = route<Params>(async ({ app, person, params: { boardId, commentId }, request }) => {
  const { body } = await readBody(request, editRequest);
  return editComment(app, person, boardId, commentId, body);
});

export const DELETE = route<Params>(async ({ app, person, params: { boardId, commentId } }) =>
  deleteComment(app, person, boardId, commentId),
);
