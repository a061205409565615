import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ModelFiles } from './context.ts';

/** For who computes in their browser. The address holds the hash of all files: what lies under it does not change. */
export const FOR_BROWSERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
  'cache-control': 'private, max-age=31536000, immutable',
};

/**
 * A file of a model, byte for byte what its hash was made of; `files.json` lists them. One Range may be asked for. Null
 * for a file that the model does not have.
 */
export async function modelFile(
  model: ModelFiles,
  hash: string,
  file: string,
  request: Request,
  headers: Record<string, string>,
): Promise<Response | null> {
  if (file === 'files.json') return Response.json({ hash, name: model.name, files: model.files }, { headers });
  const known = model.files.find(({ name }) => name === file);
  if (!known) return null;
  const type = file.endsWith('.json') ? 'application/json' : 'application/octet-stream';
  const range = rangeOf(request.headers.get('range'), known.bytes);
  if (range === 'unsatisfiable') {
    return new Response(null, {
      status: 416,
      headers: { ...headers, 'content-range': `bytes */${known.bytes}`, 'cache-control': 'no-store' },
    });
  }
  const { start, end } = range ?? { start: 0, end: known.bytes - 1 };
  // Nobody reads the body of an answer to HEAD: a file opened for it would stay open for ever.
  const isRead = request.method !== 'HEAD' && known.bytes > 0;
  const stream = isRead ? createReadStream(join(model.folder, known.name), { start, end }) : null;
  return new Response(stream && (Readable.toWeb(stream) as ReadableStream<Uint8Array>), {
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
