import { route } from '@/server/http.ts';
import { modelFile } from '@/server/model-file.ts';
import { Refusal } from '@/server/refusal.ts';

/** For who computes in their browser. The address holds the hash of all files: what lies under it does not change. */
const HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
  'cache-control': 'private, max-age=31536000, immutable',
};

export const GET = route<{ name: string; hash: string; file: string }>(async ({ app, params, request }) => {
  const { name, hash, file } = params;
  const dictionary = await app.models.dictionaryFiles(hash);
  const found = dictionary && (await modelFile(dictionary, hash, file, request, HEADERS));
  if (found) return found;
  throw new Refusal('not-found', 'dictionary file', `a file of a dictionary of ${name} with this hash`, JSON.stringify(file.slice(0, 200)));
});
