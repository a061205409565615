import { route } from '@/server/http.ts';

export const GET = route(async ({ app }) => app.engine.workers());
