import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { App } from './app.ts';
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
  if (file === 'files.json') return Response.json({ hash, name: model.name, files: model.files }, { headers });
  const known = model.files.find(({ name }) => name === file);
  if (!known) return missing();
  const type = file.endsWith('.json') ? 'application/json' : 'application/octet-stream';
  const range = rangeOf(request.headers.get('range'), known.bytes);
  if (range === 'unsatisfiable') {
    return new Response(null, {
      status: 416,
      headers: { ...headers, 'content-range': `bytes */${known.bytes}`, 'cache-control': 'no-store' },
    });
  }
  const { start, end } = range ?? { start: 0, end: known.bytes - 1 };
  const stream = createReadStream(join(model.folder, known.name), { start, end });
  return new Response(Readable.toWeb(stream) as ReadableStream<Uint8Array>, {
    status: range ? 206 : 200,
    headers: {
      ...headers,
      'content-type': type,
      'accept-ranges': 'bytes',
      'content-length': String(end - start + 1),
      ...(range && { 'content-range': `bytes ${start}-${end}/${known.bytes}` }),
    },
  });
}

/** What one range asks for, both ends included; null for all of it, which is also the answer to several ranges. */
function rangeOf(header: string | null, size: number): { start: number; end: number } | null | 'unsatisfiable' {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  const [, from = '', to = ''] = match ?? [];
  if (!match || (from === '' && to === '')) return null;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  return start >= size || start > end ? 'unsatisfiable' : { start, end };
}
