import { route } from '@/server/http.ts';
import { findRun } from '@/server/runs.ts';

export const GET = route<{ runId: string }>(async ({ app, person, params }) => findRun(app, person, params.runId));
