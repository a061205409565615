import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from './config.ts';

/**
 * What every answer tells the browser. Scripts run only where they carry the answer's own nonce or come from a file
 * of ours; nothing comes from elsewhere, and no other site frames, opens or embeds a page of ours.
 */
function policyOf(nonce: string, dev: boolean, frames: string): string {
  return [
    "default-src 'self'",
    // 'wasm-unsafe-eval': onnxruntime compiles WebAssembly. Only the development server evaluates text.
    `script-src 'self' 'nonce-${nonce}' 'wasm-unsafe-eval'${dev ? " 'unsafe-eval'" : ''}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    `frame-ancestors ${frames}`,
  ].join('; ');
}

const COMMON: readonly (readonly [string, string])[] = [
  ['x-content-type-options', 'nosniff'],
  ['referrer-policy', 'same-origin'],
  // These two isolate a page: only such a one gets memory that threads share, with which WASM computes on several cores.
  ['cross-origin-opener-policy', 'same-origin'],
  ['cross-origin-embedder-policy', 'require-corp'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['permissions-policy', 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()'],
];
/** A published page computes in a frame of it. There is nothing to press there that acts for somebody. */
const OWN_FRAME = '/verify/';
const YEAR = 365 * 24 * 3600;

/**
 * Adds the headers where the answer does not bring its own: published pages have a stricter policy, and the piece of
 * one that other sites may embed says so itself. Next reads the
 * nonce for its scripts from the policy in the request's headers.
 */
export function secure(request: IncomingMessage, response: ServerResponse, { dev, publicUrl }: Pick<Config, 'dev' | 'publicUrl'>): void {
  const isOwnFrame = request.url?.startsWith(OWN_FRAME) ?? false;
  const policy = policyOf(randomBytes(16).toString('base64'), dev, isOwnFrame ? "'self'" : "'none'");
  request.headers['content-security-policy'] = policy;
  const frames = ['x-frame-options', isOwnFrame ? 'SAMEORIGIN' : 'DENY'] as const;
  const headers = [...COMMON, frames, ['content-security-policy', policy] as const];
  if (publicUrl.startsWith('https:')) headers.push(['strict-transport-security', `max-age=${YEAR}`]);
  const writeHead = response.writeHead.bind(response) as (...given: unknown[]) => ServerResponse;
  response.writeHead = (...given: unknown[]) => {
    const own = given.at(-1);
    const named = typeof own === 'object' && own !== null ? Object.keys(own).map((name) => name.toLowerCase()) : [];
    const mayBeFramed = String(response.getHeader('content-security-policy') ?? '').includes('frame-ancestors *');
    for (const [name, value] of headers) {
      if (response.hasHeader(name) || named.includes(name) || (mayBeFramed && name === 'x-frame-options')) continue;
      response.setHeader(name, value);
    }
    return writeHead(...given);
  };
}
