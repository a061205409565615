import { earlierTexts } from '@/server/discussion.ts';
import { route } from '@/server/http.ts';

export const GET = route<{ boardId: string; commentId: string }>(async ({ app, person, params: { boardId, commentId } }) =>
  earlierTexts(app, person, boardId, commentId),
);
