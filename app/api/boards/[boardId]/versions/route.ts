import { versionRequest } from '@/lib/wire.ts';
import { readBody, route } from '@/server/http.ts';
import { keepVersion, listVersions } from '@/server/versions.ts';

export const GET = route<{ boardId: string }>(({ app, person, params: { boardId } }) => listVersions(app, person, boardId));

export const POST = route<{ boardId: string }>(async ({ app, person, params: { boardId }, request }) => {
  const { name } = await readBody(request, versionRequest);
  return keepVersion(app, person, boardId, name);
});
