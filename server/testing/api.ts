import type { IncomingMessage, ServerResponse } from 'node:http';
import { ask } from './routes.ts';

/** Answers a request by the routes of app/api, without Next. */
export async function answerApi(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) if (value !== undefined) headers[name] = String(value);
  const body = chunks.length > 0 ? Buffer.concat(chunks).toString() : undefined;
  const response = await ask(null, incoming.method ?? 'GET', incoming.url ?? '/', { headers, body });
  outgoing.writeHead(response.status, { ...Object.fromEntries(response.headers), 'set-cookie': response.headers.getSetCookie() });
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}
