import type { App } from './app.ts';
import { modelFile } from './model-file.ts';
import { find, missing } from './published-response.ts';

const HASH = /^[0-9a-f]{64}$/;

/**
 * A file of the model that a version is about, byte for byte what its hash was made of, where the publisher lets readers
 * have it. `files.json` lists them. One Range may be asked for.
 */
export async function serveModelFile(
  app: App,
  { slug, version, hash, file }: { slug: string; version: string; hash: string; file: string },
  request: Request,
): Promise<Response> {
  const page = await find(app, slug, version);
  // Whoever asks for what they may not have learns no more than that it is not here.
  if (!page?.weights || !HASH.test(hash) || page.snapshot.partition.model.hash !== hash) return missing();
  const model = await app.models.filesOf(hash);
  if (!model) return missing();
  const headers = {
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'cross-origin',
    'access-control-allow-origin': '*',
    'content-security-policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
    // The address holds the hash of all files: what lies under it does not change.
    'cache-control': 'public, max-age=31536000, immutable',
  };
  return (await modelFile(model, hash, file, request, headers)) ?? missing();
}
