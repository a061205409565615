import { publicRoute } from '@/server/http.ts';
import { answerAuth } from '@/server/sign-in.ts';

export const GET = publicRoute(async ({ app, person, request }) => answerAuth(app, person, request));

export const POST = publicRoute(async ({ app, person, request }) => answerAuth(app, person, request));
