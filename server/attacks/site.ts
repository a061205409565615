import { readdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { relative } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';

const APP = fileURLToPath(new URL('../../app', import.meta.url));
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
export type Method = (typeof METHODS)[number];

type Handler = (request: Request, context: { params: Promise<Record<string, string | string[]>> }) => Promise<Response> | Response;

/** A file app/…/route.ts: where it answers, and to which methods. */
export interface Route {
  /** `/api/boards/[boardId]/claims` */
  path: string;
  methods: Partial<Record<Method, Handler>>;
}

export interface Site {
  routes: readonly Route[];
  /** Answers as Next does: the same files, found by the same rules. */
  respond(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** All that app/ answers by itself. Its pages are Next's: for them this site has nothing. */
export async function openSite(publicUrl: string): Promise<Site> {
  const routes = await Promise.all(routeFiles().map(readRoute));
  const matchers = routes.map((route) => ({ route, match: matcherOf(route.path) })).sort((a, b) => openness(a.route) - openness(b.route));
  return {
    routes,
    async respond(request, response) {
      // Two slashes at the beginning name no other host.
      const url = new URL(`${publicUrl}${request.url ?? '/'}`);
      for (const { route, match } of matchers) {
        const params = match(url.pathname);
        if (params) return answer(route, params, url, request, response);
      }
      response.writeHead(404, { 'content-type': 'text/plain' }).end('no route');
    },
  };
}

/** Relative to app/. */
export function routeFiles(): string[] {
  return readdirSync(APP, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /^route\.tsx?$/.test(entry.name))
    .map((entry) => relative(APP, `${entry.parentPath}/${entry.name}`))
    .sort();
}

export function pathOf(file: string): string {
  const segments = file.split('/').slice(0, -1);
  return `/${segments.filter((segment) => !/^\(.*\)$/.test(segment)).join('/')}`;
}

async function readRoute(file: string): Promise<Route> {
  const exported = (await import(pathToFileURL(`${APP}/${file}`).href)) as Record<string, unknown>;
  const methods: Route['methods'] = {};
  for (const method of METHODS) if (typeof exported[method] === 'function') methods[method] = exported[method] as Handler;
  return { path: pathOf(file), methods };
}

/** Fixed segments before named ones before those that take the rest. */
function openness({ path }: Route): number {
  return path.split('/').reduce((sum, segment) => sum * 3 + (segment.startsWith('[...') ? 2 : segment.startsWith('[') ? 1 : 0), 0);
}

type Params = Record<string, string | string[]>;

function matcherOf(path: string): (pathname: string) => Params | null {
  const names: string[] = [];
  const pattern = path.replaceAll(/\[(\.\.\.)?(\w+)\]|[.*+?^${}()|\\]/g, (text, rest: string | undefined, name: string | undefined) => {
    if (name === undefined) return `\\${text}`;
    names.push(`${rest ?? ''}${name}`);
    return rest ? '(.+)' : '([^/]+)';
  });
  const expression = new RegExp(`^${pattern}/?$`);
  return (pathname) => {
    const found = expression.exec(pathname);
    if (!found) return null;
    return Object.fromEntries(
      names.map((name, index) => {
        const text = found[index + 1] ?? '';
        return name.startsWith('...') ? [name.slice(3), text.split('/').map(decodeURIComponent)] : [name, decodeURIComponent(text)];
      }),
    );
  };
}

async function answer(route: Route, params: Params, url: URL, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const method = METHODS.find((name) => name === incoming.method);
  const handler = method && (route.methods[method] ?? (method === 'HEAD' ? route.methods.GET : undefined));
  if (!handler) {
    response.writeHead(method === 'OPTIONS' ? 204 : 405, { allow: Object.keys(route.methods).join(', ') }).end();
    return;
  }
  const left = new AbortController();
  response.on('close', () => left.abort());
  const result = await handler(requestOf(url, incoming, left.signal), { params: Promise.resolve(params) });
  response.statusCode = result.status;
  for (const [name, value] of result.headers) if (name !== 'set-cookie') response.setHeader(name, value);
  const cookies = result.headers.getSetCookie();
  if (cookies.length > 0) response.setHeader('set-cookie', cookies);
  if (result.body && incoming.method !== 'HEAD') for await (const chunk of result.body) response.write(chunk);
  response.end();
}

function requestOf(url: URL, incoming: IncomingMessage, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    for (const line of Array.isArray(value) ? value : [value ?? '']) headers.append(name, line);
  }
  const hasBody = incoming.method !== 'GET' && incoming.method !== 'HEAD';
  return new Request(url, {
    method: incoming.method ?? 'GET',
    headers,
    signal,
    ...(hasBody && { body: Readable.toWeb(incoming) as ReadableStream<Uint8Array>, duplex: 'half' }),
  } as RequestInit);
}
