import { repeatEvidence } from '@/server/discussion.ts';
import { route } from '@/server/http.ts';

export const POST = route<{ boardId: string; evidenceId: string }>(async ({ app, person, params: { boardId, evidenceId }, request }) =>
  repeatEvidence(app, person, boardId, evidenceId, { signal: request.signal }),
);
