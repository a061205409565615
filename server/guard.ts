import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { originOf } from './access.ts';
import type { Config } from './app.ts';

const LOOPBACK = ['127.0.0.1', 'localhost', '::1'];
const READING = ['GET', 'HEAD', 'OPTIONS'];
export const SECRET_HEADER = 'x-pathboard-secret';

/** The addresses under which this server may be spoken to. */
export function ownOrigins(port: number): string[] {
  return LOOPBACK.map((host) => originOf(host, port));
}

/** A line that says why nothing but loopback is served, or null. */
export function refuseHost(host: string): string | null {
  if (LOOPBACK.includes(host.replaceAll(/[[\]]/g, ''))) return null;
  return `HOST: expected 127.0.0.1, localhost or ::1 (there are no accounts yet, so nobody else may reach this server), got ${host}`;
}

/**
 * Why a request is refused, or null. A page of another site can make a browser send requests here, under a name
 * that it points at this machine: `Host` tells the name, `Origin` the page.
 */
export function refuseRequest({ method = 'GET', headers }: IncomingMessage, { port, secret }: Config): string | null {
  const origins = ownOrigins(port);
  const wrongHost = refuseHostHeader(headers.host, origins);
  if (wrongHost) return wrongHost;
  if (READING.includes(method) || holdsSecret(headers[SECRET_HEADER], secret)) return null;
  return refuseOrigin(headers.origin, origins);
}

/** As {@link refuseRequest}; a socket is always opened by a page of ours. */
export function refuseUpgrade({ headers }: IncomingMessage, { port }: Config): string | null {
  const origins = ownOrigins(port);
  return refuseHostHeader(headers.host, origins) ?? refuseOrigin(headers.origin, origins);
}

/** Why an address cannot be read, or null. Next answers 500 to one whose escapes are no UTF-8. */
export function refuseAddress(url = '/'): string | null {
  const path = url.split('?', 1)[0] ?? '/';
  try {
    decodeURIComponent(path);
    return null;
  } catch {
    return `address: expected UTF-8 after %, got ${quote(path)}`;
  }
}

function refuseHostHeader(host: string | undefined, origins: string[]): string | null {
  if (host !== undefined && origins.includes(`http://${host.toLowerCase()}`)) return null;
  return `Host: expected ${hostsOf(origins)}, got ${host === undefined ? 'none' : quote(host)}`;
}

function refuseOrigin(origin: string | undefined, origins: string[]): string | null {
  if (origin !== undefined && origins.includes(origin.toLowerCase())) return null;
  return `Origin: expected ${origins.join(', ')}, got ${origin === undefined ? 'none' : quote(origin)}`;
}

export function holdsSecret(given: string | string[] | undefined | null, secret: string): boolean {
  if (typeof given !== 'string') return false;
  const a = Buffer.from(given);
  const b = Buffer.from(secret);
  return a.length === b.length && timingSafeEqual(a, b);
}

function hostsOf(origins: string[]): string {
  return origins.map((origin) => origin.slice('http://'.length)).join(', ');
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
