import { newImport } from '@/lib/model-wire.ts';
import { readBody, route } from '@/server/http.ts';
import { listImports, startImport } from '@/server/importing.ts';

export const GET = route(({ app, person }) => listImports(app, person));

export const POST = route(async ({ app, person, request }) => startImport(app, person, await readBody(request, newImport)));
