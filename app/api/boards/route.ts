import { newBoard } from '@/lib/wire.ts';
import { createBoard, listBoards } from '@/server/boards.ts';
import { readBody, route } from '@/server/http.ts';

export const GET = route(async ({ app, person }) => listBoards(app, person));

export const POST = route(async ({ app, person, request }) => createBoard(app, person, await readBody(request, newBoard)));
