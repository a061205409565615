import { analyzeRequest } from '@/lib/wire.ts';
import { authorise } from '@/server/access.ts';
import { answerWith, readBody, route } from '@/server/http.ts';
import { listRuns, runOnBoard } from '@/server/runs.ts';

export const GET = route<{ boardId: string }>(async ({ app, person, params: { boardId } }) => listRuns(app, person, boardId));

export const POST = route<{ boardId: string }>(async ({ app, person, params: { boardId }, request }) => {
  // Refused before the stream begins, whose status is 200 whatever comes of it.
  await authorise(app, person, 'board.evidence', boardId);
  const asked = await readBody(request, analyzeRequest, 4_000_000);
  return answerWith(
    request,
    (options) => runOnBoard(app, person, boardId, asked, options),
    (run) => ({ type: 'run', run }),
  );
});
