import { anyJson } from '@/lib/wire.ts';
import { readBody, route } from '@/server/http.ts';
import { importToBoard } from '@/server/interchange.ts';

/** What the front door lets in. */
const LIMIT = 5_000_000;

export const POST = route<{ boardId: string }>(async ({ app, person, params: { boardId }, request }) =>
  importToBoard(app, person, boardId, await readBody(request, anyJson, LIMIT)),
);
