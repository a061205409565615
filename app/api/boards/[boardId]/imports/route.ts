import { route } from '@/server/http.ts';
import { listImportedGraphs } from '@/server/interchange.ts';

export const GET = route<{ boardId: string }>(async ({ app, person, params: { boardId } }) => listImportedGraphs(app, person, boardId));
