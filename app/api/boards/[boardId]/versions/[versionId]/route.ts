import { versionRequest } from '@/lib/wire.ts';
import { readBody, route } from '@/server/http.ts';
import { deleteVersion, readVersion, renameVersion } from '@/server/versions.ts';

interface Params extends Record<string, string> {
  boardId: string;
  versionId: string;
}

export const GET = route<Params>(({ app, person, params: { boardId, versionId } }) => readVersion(app, person, boardId, versionId));

export const PATCH = route<Params>(async ({ app, person, params: { boardId, versionId }, request }) => {
  const { name } = await readBody(request, versionRequest);
  return renameVersion(app, person, boardId, versionId, name);
});

export const DELETE = route<Params>(({ app, person, params: { boardId, versionId } }) => deleteVersion(app, person, boardId, versionId));
