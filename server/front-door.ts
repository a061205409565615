import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { ApiError } from '../lib/wire.ts';
import type { Config } from './app.ts';
import { reportFault } from './faults.ts';
import { refuseAddress, refuseRequest } from './guard.ts';

export type Respond = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** A failure that whoever starts the server can mend; its message is all that is printed. */
export class StartError extends Error {
  readonly isStartError = true;
}

/** Resolves with the port, which the system chooses when `port` is 0. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((done, failed) => {
    server.once('error', (error) => {
      const taken = 'code' in error && error.code === 'EADDRINUSE';
      failed(
        taken ? new StartError(`PORT: expected a free port, got ${port}, which another program uses (set PORT to another one)`) : error,
      );
    });
    server.listen(port, host, () => {
      const address = server.address();
      done(typeof address === 'object' && address ? address.port : port);
    });
  });
}

/** Every request passes here: what another site's page may have sent goes no further. */
export function serve(server: Server, config: Config, respond: Respond): void {
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const forbidden = refuseRequest(request, config);
    if (forbidden) return refuse(response, 403, 'forbidden', forbidden);
    const unreadable = refuseAddress(request.url);
    if (unreadable) return refuse(response, 400, 'bad-request', unreadable);
    respond(request, response).catch((error: unknown) => {
      reportFault(`${request.method} ${request.url}`, error);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
}

function refuse(response: ServerResponse, status: number, code: ApiError['error']['code'], message: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' });
  response.end(JSON.stringify({ error: { code, message } } satisfies ApiError));
}
