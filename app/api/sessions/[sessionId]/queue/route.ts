import { readQueue } from '@/server/annotation/labels.ts';
import { route } from '@/server/http.ts';

export const GET = route<{ sessionId: string }>(({ app, person, params: { sessionId } }) => readQueue(app, person, sessionId));
