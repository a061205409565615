import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AnalyzeEvent, ApiError } from '../lib/wire.ts';
import { isMissing } from './files.ts';
import { SECRET_HEADER } from './guard.ts';

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

/** What the server said to a request that it turned down; its message is the server's own line. */
class ToldError extends Error {
  readonly isRefusal = true;
  constructor(
    readonly code: ApiError['error']['code'],
    message: string,
  ) {
    super(message);
  }
}

/** The server that runs on a folder, as its owner sees it. */
export class RunningServer {
  constructor(private readonly server: LocalServer) {}

  /** JSON, as the list in lib/wire.ts says. */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    return JSON.parse(await this.text(method, path, body)) as T;
  }

  /** A file, as it is. */
  async text(method: string, path: string, body?: unknown): Promise<string> {
    return textOf(await this.send(method, path, { body }));
  }

  /** The events of an analysis as they come. */
  async *events(path: string, body: unknown, signal?: AbortSignal): AsyncGenerator<AnalyzeEvent> {
    const answer = await this.send('POST', path, { body, accept: 'application/x-ndjson', signal });
    for await (const line of createInterface({ input: answer })) if (line !== '') yield JSON.parse(line) as AnalyzeEvent;
  }

  /** The bytes of an answer, however long they take. */
  stream(path: string, body: unknown, signal?: AbortSignal): Promise<IncomingMessage> {
    return this.send('POST', path, { body, signal });
  }

  private async send(
    method: string,
    path: string,
    { body, accept, signal }: { body?: unknown; accept?: string; signal?: AbortSignal | undefined },
  ): Promise<IncomingMessage> {
    const { host, port, secret } = this.server;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      [SECRET_HEADER]: secret,
      ...(accept && { accept }),
      ...(text !== undefined && { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
    };
    const answer = await new Promise<IncomingMessage>((answered, failed) => {
      const asking = request({ host, port, method, path, headers, agent: false, signal });
      asking.on('error', failed);
      asking.on('response', answered);
      asking.end(text);
    });
    if (answer.statusCode === 200) return answer;
    throw failureOf(await textOf(answer), answer.statusCode);
  }
}

/** The server that says that it runs on `home`; null where none does. It may have died since without saying so. */
export function findServer(home: string): RunningServer | null {
  const server = readLocalServer(home);
  return server && isAlive(server.pid) ? new RunningServer(server) : null;
}

/** Whether nobody listens where a server said that it does: it was killed, and its process id is somebody else's now. */
export function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function failureOf(text: string, status: number | undefined): Error {
  try {
    const { error } = JSON.parse(text) as ApiError;
    return new ToldError(error.code, error.message);
  } catch {
    return new Error(`server: expected an answer, got status ${status}`);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
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
