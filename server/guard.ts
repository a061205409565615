import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isLoopback } from './address.ts';
import type { Config } from './config.ts';
import { originOf } from './origin.ts';

const LOOPBACK = ['127.0.0.1', 'localhost', '::1'];
const READING = ['GET', 'HEAD', 'OPTIONS'];
export const METHODS = [...READING, 'POST', 'PUT', 'PATCH', 'DELETE'];
export const SECRET_HEADER = 'x-pathboard-secret';
/** Characters of an address. */
const LONGEST_URL = 8192;

type Expected = Pick<Config, 'host' | 'port' | 'publicUrl' | 'localSecret'>;

/**
 * Why a request is refused, or null. A page of another site can make a browser send requests here, under a name
 * that it points at this machine: `Host` tells the name, `Origin` the page. The local secret is on no page.
 */
export function refuseRequest({ method = 'GET', headers }: Pick<IncomingMessage, 'method' | 'headers'>, config: Expected): string | null {
  if (holdsSecret(headers[SECRET_HEADER], config.localSecret)) return null;
  return refuseHost(headers, config) ?? (READING.includes(method) ? null : refuseOrigin(headers, config));
}

/** As {@link refuseRequest}; a socket is always opened by a page of ours. */
export function refuseUpgrade({ headers }: Pick<IncomingMessage, 'headers'>, config: Expected): string | null {
  return refuseHost(headers, config) ?? refuseOrigin(headers, config);
}

/** Why an address cannot be read, or null. Next answers 500 to one whose escapes are no UTF-8. */
export function refuseAddress(url = '/'): string | null {
  if (url.length > LONGEST_URL) return `address: expected at most ${LONGEST_URL} characters, got ${url.length}`;
  if (!url.startsWith('/')) return `address: expected one that begins with /, got ${quote(url)}`;
  const path = url.split('?', 1)[0] ?? '/';
  try {
    decodeURIComponent(path);
    return null;
  } catch {
    return `address: expected UTF-8 after %, got ${quote(path)}`;
  }
}

/** Takes the same time however much of it is right. */
export function holdsSecret(given: string | string[] | undefined | null, secret: string): boolean {
  if (typeof given !== 'string') return false;
  const [a, b] = [given, secret].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(a!, b!);
}

function refuseHost({ host }: IncomingHttpHeaders, config: Expected): string | null {
  const names = [...localOrigins(config), config.publicUrl].map((origin) => new URL(origin).host);
  if (host !== undefined && names.includes(host.toLowerCase())) return null;
  return `Host: expected ${[...new Set(names)].join(', ')}, got ${host === undefined ? 'none' : quote(host)}`;
}

/** Another server on this machine is another site: its pages are believed only where this one is addressed as theirs. */
function refuseOrigin({ host, origin }: IncomingHttpHeaders, config: Expected): string | null {
  const local = isAddressedLocally(host, config.port) ? localOrigins(config) : [];
  const origins = [...new Set([config.publicUrl, ...local])];
  if (origin !== undefined && origins.includes(origin.toLowerCase())) return null;
  return `Origin: expected ${origins.join(', ')}, got ${origin === undefined ? 'none' : quote(origin)}`;
}

/** Whether `Host` names this machine as only its own programs do. */
export function isAddressedLocally(host: string | undefined, port: number): boolean {
  return LOOPBACK.some((name) => new URL(originOf(name, port)).host === host?.toLowerCase());
}

/** Under which names this machine alone may speak to the server. */
function localOrigins({ host, port }: Expected): string[] {
  return isLoopback(host) ? LOOPBACK.map((name) => originOf(name, port)) : [];
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
