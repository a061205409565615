import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A stand-in for a Hugging Face hub on this machine, which can be told to misbehave. */

/** Bytes that {@link Hub.slowly} sends at a time. */
const SIP = 16_384;

export type Reply = (request: IncomingMessage, response: ServerResponse, file: string) => void;

/** Plays the hub: ranges, tags, the revision and the sums of large files; `replies`, one a request, make it misbehave. */
export class Hub {
  readonly asked: { url: string; range: string | undefined; authorization: string | undefined }[] = [];
  readonly replies: Reply[] = [];
  /** by name, of whatever repository is asked for */
  readonly files = new Map<string, Buffer>();
  /** milliseconds between two pieces that are sent slowly */
  pause = 40;
  commit: string | null = 'c0ffee'.padEnd(40, '0');
  private constructor(private readonly server: Server) {}

  static async start(): Promise<Hub> {
    const server = createServer();
    const made = new Hub(server);
    server.on('request', (request, response) => made.#answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return made;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  /** As the hub should: a whole file, or the part that is asked for. */
  readonly whole: Reply = (request, response, file) => {
    const rest = this.#begin(request, response, file);
    if (rest) response.end(rest);
  };

  /** As {@link whole}, so slowly that somebody can watch it. */
  readonly slowly: Reply = (request, response, file) => {
    const rest = this.#begin(request, response, file);
    if (!rest) return;
    let at = 0;
    const timer = setInterval(() => {
      const piece = rest.subarray(at, (at += SIP));
      if (at >= rest.length) response.end(piece);
      else response.write(piece);
    }, this.pause);
    response.once('close', () => clearInterval(timer));
  };

  /** Announces all of a file, sends a part and hangs up. */
  cutAfter(bytes: number): Reply {
    return (_, response, file) => {
      const data = this.files.get(file)!;
      response.writeHead(200, { etag: `"${sum(data)}"`, 'x-linked-etag': `"${sum(data)}"`, 'content-length': data.length });
      hangUp(response, data.subarray(0, bytes));
    };
  }

  /** What is to be sent of the file; null where the head was all. */
  #begin({ headers }: IncomingMessage, response: ServerResponse, file: string): Buffer | null {
    const data = this.files.get(file);
    if (!data) {
      response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end();
      return null;
    }
    const tag = `"${sum(data)}"`;
    response.setHeader('etag', tag);
    if (file.endsWith('.safetensors')) response.setHeader('x-linked-etag', tag);
    const from = headers['if-range'] === tag ? Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0) : 0;
    if (from > 0) response.setHeader('content-range', `bytes ${from}-${data.length - 1}/${data.length}`);
    response.setHeader('content-length', data.length - from);
    response.writeHead(from > 0 ? 206 : 200);
    return data.subarray(from);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { range, authorization } = request.headers;
    this.asked.push({ url: request.url!, range, authorization });
    const file = request.url!.split('/').at(-1)!;
    const reply = this.replies.shift() ?? this.whole;
    if (this.commit) response.setHeader('x-repo-commit', this.commit);
    reply(request, response, file);
  }
}

/** Long enough for what was sent to have been read, on a machine that has other work as well. */
const READ_MS = 200;

export function hangUp(response: ServerResponse, last: Buffer): void {
  response.write(last, () => setTimeout(() => response.socket?.end(), READ_MS));
}

export function redirectTo(location: string, status = 302): Reply {
  return (_, response) => void response.writeHead(status, { location }).end();
}

export function refuseWith(status: number, headers: Record<string, string> = {}): Reply {
  return (_, response) => void response.writeHead(status, headers).end();
}

export const endless: Reply = (_, response) => {
  const chunk = Buffer.alloc(65_536);
  const more = () => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once('drain', more);
  };
  response.writeHead(200);
  more();
};

export function sum(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
