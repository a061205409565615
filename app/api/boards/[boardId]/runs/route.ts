import { analyzeRequest } from '@/lib/wire.ts';
import { requireMember } from '@/server/access.ts';
import { answerWith, readBody, route } from '@/server/http.ts';
import { listRuns, runOnBoard } from '@/server/runs.ts';

export const GET = route<{ boardId: string }>(async ({ app, person, params: { boardId } }) => {
  await requireMember(app, person, boardId);
  return listRuns(app, boardId);
});

export const POST = route<{ boardId: string }>(async ({ app, person, params: { boardId }, request }) => {
  const member = await requireMember(app, person, boardId);
  const asked = await readBody(request, analyzeRequest, 4_000_000);
  return answerWith(
    request,
    (options) => runOnBoard(app, member, boardId, asked, options),
    (run) => ({ type: 'run', run }),
  );
});
