import { route } from '@/server/http.ts';
import { FOR_BROWSERS, modelFile } from '@/server/model-file.ts';
import { Refusal } from '@/server/refusal.ts';

export const GET = route<{ name: string; hash: string; file: string }>(async ({ app, params, request }) => {
  const { name, hash, file } = params;
  const model = await app.models.filesOf(hash);
  const found = model && (await modelFile(model, hash, file, request, FOR_BROWSERS));
  if (found) return found;
  throw new Refusal('not-found', 'model file', `a file of the model ${name} with this hash`, JSON.stringify(file.slice(0, 200)));
});
