import { readResults } from '@/server/annotation/results.ts';
import { route } from '@/server/http.ts';

export const GET = route<{ sessionId: string }>(({ app, person, params: { sessionId } }) => readResults(app, person, sessionId));
