import { route } from '@/server/http.ts';
import { listPublications } from '@/server/publish.ts';

export const GET = route<{ boardId: string }>(async ({ app, person, params: { boardId } }) => listPublications(app, person, boardId));
