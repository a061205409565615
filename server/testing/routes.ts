import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Actor } from './world.ts';

/** Asks the routes as browsers do, found by their folders as Next finds them. */

const APP = fileURLToPath(new URL('../../app', import.meta.url));
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

type Handler = (request: Request, context: { params: Promise<Record<string, string>> }) => Promise<Response>;
type Module = Record<string, Handler | undefined>;

export interface Asked {
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** `path` as in an address, with its query. */
export async function ask(
  actor: Actor | null,
  method: string,
  path: string,
  { body, headers = {}, signal }: Asked = {},
): Promise<Response> {
  const { pathname } = new URL(path, 'http://127.0.0.1');
  const { folder, params } = resolve(pathname);
  const handler = (await load(folder))[method];
  if (!handler) throw new Error(`${method} ${path}: expected a route, got none`);
  const request = new Request(`http://127.0.0.1${path}`, {
    method,
    headers: {
      ...(actor && { cookie: actor.cookie }),
      ...(body !== undefined && !(body instanceof Uint8Array) && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && {
      body: typeof body === 'string' ? body : body instanceof Uint8Array ? new Blob([new Uint8Array(body)]) : JSON.stringify(body),
    }),
    ...(signal && { signal }),
  });
  return handler(request, { params: Promise.resolve(params) });
}

/** Every route under /api, such as `GET /api/boards/[boardId]/runs`. */
export async function allRoutes(): Promise<string[]> {
  const files = readdirSync(join(APP, 'api'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('route.ts'));
  const routes = files.map(async (file) => {
    const folder = join('api', file, '..');
    const module = await load(join(APP, folder));
    return METHODS.filter((method) => module[method]).map((method) => `${method} /${folder}`);
  });
  return (await Promise.all(routes)).flat().sort();
}

function load(folder: string): Promise<Module> {
  return import(/* @vite-ignore */ join(folder, 'route.ts')) as Promise<Module>;
}

function resolve(pathname: string): { folder: string; params: Record<string, string> } {
  const params: Record<string, string> = {};
  let folder = APP;
  for (const segment of pathname.slice(1).split('/')) {
    if (existsSync(join(folder, segment))) {
      folder = join(folder, segment);
      continue;
    }
    const dynamic = readdirSync(folder).find((name) => name.startsWith('['));
    if (!dynamic) throw new Error(`${pathname}: expected a route, got none at ${segment}`);
    folder = join(folder, dynamic);
    if (dynamic.startsWith('[...')) break;
    params[dynamic.slice(1, -1)] = decodeURIComponent(segment);
  }
  return { folder, params };
}
