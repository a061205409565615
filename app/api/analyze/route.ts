import { analyzeRequest } from '@/lib/wire.ts';
import { answerWith, readBody, route } from '@/server/http.ts';
import { analyze } from '@/server/runs.ts';

export const POST = route(async ({ app, person, request }) => {
  const asked = await readBody(request, analyzeRequest, 4_000_000);
  return answerWith(
    request,
    (options) => analyze(app, asked, { ...options, person: person.id }),
    (answer) => ({ type: 'result', answer }),
  );
});
