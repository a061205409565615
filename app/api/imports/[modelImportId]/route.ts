import { importChange } from '@/lib/model-wire.ts';
import { readBody, route } from '@/server/http.ts';
import { changeImport, discardImport } from '@/server/importing.ts';

export const PATCH = route<{ modelImportId: string }>(async ({ app, person, params, request }) =>
  changeImport(app, person, params.modelImportId, await readBody(request, importChange)),
);

export const DELETE = route<{ modelImportId: string }>(({ app, person, params }) => discardImport(app, person, params.modelImportId));
