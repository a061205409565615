import { newBoard } from '@/lib/wire.ts';
import { requirePerson } from '@/server/access.ts';
import { createBoard, listBoards } from '@/server/boards.ts';
import { readBody, route } from '@/server/http.ts';

export const GET = route(async ({ app, person }) => listBoards(app, requirePerson(person)));

export const POST = route(async ({ app, person, request }) => {
  const someone = requirePerson(person);
  return createBoard(app, someone, await readBody(request, newBoard));
});
