import { editComment as editRequest } from '@/lib/wire.ts';
import { requireMember } from '@/server/access.ts';
import { deleteComment, editComment } from '@/server/discussion.ts';
import { readBody, route } from '@/server/http.ts';

interface Params extends Record<string, string> {
  boardId: string;
  commentId: string;
}

export const PATCH = route<Params>(async ({ app, person, params: { boardId, commentId }, request }) => {
  const member = await requireMember(app, person, boardId);
  const { body } = await readBody(request, editRequest);
  return editComment(app, member, boardId, commentId, body);
});

export const DELETE = route<Params>(async ({ app, person, params: { boardId, commentId } }) =>
  deleteComment(app, await requireMember(app, person, boardId), boardId, commentId),
);
