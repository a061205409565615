import { publicRoute } from '@/server/http.ts';
import { serveModelFile } from '@/server/published-model.ts';

export const GET = publicRoute<{ slug: string; version: string; hash: string; file: string }>(async ({ app, params, request }) =>
  serveModelFile(app, params, request),
);
