import { route } from '@/server/http.ts';
import { receiveUpload } from '@/server/importing.ts';
import { Refusal } from '@/server/refusal.ts';

export const PUT = route<{ modelImportId: string; file: string }>(({ app, person, params, request }) => {
  const at = new URL(request.url).searchParams.get('at') ?? '';
  if (!/^\d{1,15}$/.test(at)) throw new Refusal('bad-request', 'at', 'the number of bytes before these', JSON.stringify(at.slice(0, 100)));
  const { body } = request;
  return receiveUpload(app, person, params.modelImportId, { file: params.file, at: Number(at), body });
});
