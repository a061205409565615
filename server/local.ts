import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMissing } from './files.ts';
import { Refusal } from './refusal.ts';

/**
 * How the `pathboard` command finds the server that runs on a folder, and proves that it may read the folder:
 * a file that nobody but this user can open.
 */
export interface LocalServer {
  pid: number;
  host: string;
  port: number;
  secret: string;
}

const fileIn = (home: string) => join(home, 'server.json');

export function writeLocalServer(home: string, server: LocalServer): void {
  rmSync(fileIn(home), { force: true });
  writeFileSync(fileIn(home), `${JSON.stringify(server)}\n`, { mode: 0o600, flag: 'wx' });
}

export function removeLocalServer(home: string): void {
  rmSync(fileIn(home), { force: true });
}

/** A new one-time link from the server that runs on `home`. Throws one line when there is none. */
export async function requestOwnerLink(home: string): Promise<string> {
  const server = readLocalServer(home);
  const none = new Refusal('not-found', home, 'a running Pathboard (npm start)', 'none');
  if (!server) throw none;
  const host = server.host.includes(':') ? `[${server.host}]` : server.host;
  const response = await fetch(`http://${host}:${server.port}/api/local/link`, {
    method: 'POST',
    headers: { 'x-pathboard-secret': server.secret },
    signal: AbortSignal.timeout(10_000),
  }).catch(() => {
    throw none;
  });
  const body: unknown = await response.json().catch(() => null);
  if (response.ok && typeof body === 'object' && body !== null && 'url' in body && typeof body.url === 'string') return body.url;
  throw new Error(`${home}: expected a link from the server on port ${server.port}, got status ${response.status}`);
}

function readLocalServer(home: string): LocalServer | null {
  try {
    const value: unknown = JSON.parse(readFileSync(fileIn(home), 'utf8'));
    return isLocalServer(value) ? value : null;
  } catch (error) {
    // A server that was killed while it wrote the file left half of it: it does not run.
    if (isMissing(error) || error instanceof SyntaxError) return null;
    throw error;
  }
}

function isLocalServer(value: unknown): value is LocalServer {
  if (typeof value !== 'object' || value === null) return false;
  if (!('pid' in value && 'host' in value && 'port' in value && 'secret' in value)) return false;
  return (
    typeof value.pid === 'number' && typeof value.host === 'string' && typeof value.port === 'number' && typeof value.secret === 'string'
  );
}
