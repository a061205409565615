import { newInvite } from '@/lib/wire.ts';
import { readBody, route } from '@/server/http.ts';
import { listBoardInvites, makeBoardInvite } from '@/server/invites.ts';

export const GET = route<{ boardId: string }>(async ({ app, person, params: { boardId } }) => listBoardInvites(app, person, boardId));

export const POST = route<{ boardId: string }>(async ({ app, person, params: { boardId }, request }) =>
  makeBoardInvite(app, person, boardId, await readBody(request, newInvite)),
);
