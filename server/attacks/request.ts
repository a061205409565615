import { Agent, request as open } from 'node:http';
import type { Actor, World } from '../testing/world.ts';

export interface Asked {
  /** of JSON; or bytes and text as they are */
  body?: unknown;
  raw?: string | Uint8Array;
  headers?: Record<string, string | string[] | null>;
  /** as a reverse proxy would tell it */
  address?: string;
}

export interface Answered {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** undefined where it is no JSON */
  json: unknown;
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const PATIENCE = 20_000;

/**
 * Asks as a page of ours would, unless `headers` says otherwise; a header of null is left out. The path is sent as it is.
 * Rejects where there is no answer.
 */
export function ask(
  { port }: Pick<World, 'port'>,
  actor: Actor | null,
  method: string,
  path: string,
  asked: Asked = {},
): Promise<Answered> {
  const payload = asked.raw ?? (asked.body === undefined ? undefined : JSON.stringify(asked.body));
  const given: Record<string, string | string[] | null> = {
    host: `127.0.0.1:${port}`,
    origin: `http://127.0.0.1:${port}`,
    cookie: actor?.cookie ?? null,
    'content-type': payload === undefined ? null : 'application/json',
    'content-length': payload === undefined ? null : String(Buffer.byteLength(payload)),
    'x-forwarded-for': asked.address ?? null,
    ...asked.headers,
  };
  const headers = Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string | string[]] => entry[1] !== null));
  return new Promise((done, failed) => {
    const outgoing = open({ host: '127.0.0.1', port, method, path, headers, agent, setHost: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', failed);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        done({ status: response.statusCode ?? 0, headers: response.headers, text, json: jsonOf(text) });
      });
    });
    outgoing.setTimeout(PATIENCE, () => outgoing.destroy(new Error(`${method} ${path.slice(0, 80)}: no answer within ${PATIENCE} ms`)));
    outgoing.on('error', failed);
    outgoing.end(payload);
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
