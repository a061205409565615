import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Config } from './config.ts';

/** Whose request it is, by address. */

const LOOPBACK = ['127.0.0.1', 'localhost', '::1'];

/** Whether only programs of this machine reach a server that listens on `host`. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.includes(host.replaceAll(/[[\]]/g, '').toLowerCase());
}

/**
 * The client's address. Each trusted proxy appends to X-Forwarded-For who called it, so the last entries are theirs;
 * what stands before them is what the client made up.
 */
export function addressOf({ headers, socket }: IncomingMessage, { trustedProxies }: Pick<Config, 'trustedProxies'>): string {
  const caller = cleanAddress(socket.remoteAddress ?? '') ?? 'unknown';
  if (trustedProxies === 0) return caller;
  const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
  const told = forwarded.map(cleanAddress);
  // A chain that is shorter than the proxies that should have made it, or that holds no address, tells nothing.
  return told.at(-trustedProxies) ?? caller;
}

/** Whether the request came from this machine without passing through a proxy. */
export function isLocal({ headers, socket }: IncomingMessage): boolean {
  const isForwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined || headers.via !== undefined;
  const caller = cleanAddress(socket.remoteAddress ?? '');
  return !isForwarded && caller !== null && (caller === '::1' || caller.startsWith('127.'));
}

/** What counts as one address: of IPv6 the first 64 bits, because whoever has one has all that begin with them. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('%', 1)[0]!.toLowerCase().split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0');
  return `${[...first, ...zeros, ...last].slice(0, 4).join(':')}::/64`;
}

/** Without a port, and IPv4 as IPv4. */
function cleanAddress(text: string): string | null {
  const trimmed = text.trim();
  const bare = /^\[(.*)\](?::\d+)?$/.exec(trimmed)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(trimmed)?.[1] ?? trimmed;
  const address = bare.replace(/^::ffff:(?=\d+\.)/i, '');
  return isIP(address) === 0 ? null : address;
}
