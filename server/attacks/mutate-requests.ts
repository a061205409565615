import type { Place } from './place.ts';
import type { Random } from './random.ts';
import { ROUTES, requestTo } from './routes.ts';

/** Requests to the routes of the site: some as a page of ours would send them, most of them not quite. */

export interface FuzzedRequest {
  method: string;
  path: string;
  raw: string | undefined;
  headers: Record<string, string | string[] | null>;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];
const NAMES = Object.keys(ROUTES);
const SEGMENTS = [
  '..',
  '%2e%2e',
  '%00',
  '%ff',
  '%2f',
  'x',
  'constructor',
  '__proto__',
  'a'.repeat(300),
  "x'--",
  '%F0%9F%92%A9',
  '0',
  '-1',
  'null',
  '',
];
const TEXTS = [
  '',
  ' ',
  '\0',
  '\ud800',
  '\udfff\ud800',
  '<script>alert(1)</script>',
  "' or 1=1--",
  '${7*7}',
  'NaN',
  'Infinity',
  '-0',
  'null',
  '\u202e',
  'é'.repeat(500),
  'x'.repeat(30_000),
  'claim:x',
  'a0.h0->',
  '->'.repeat(300),
  '(('.repeat(200),
];
const NUMBERS = [0, -1, 1, 0.5, 1e308, -1e308, Number.MAX_SAFE_INTEGER, -(2 ** 53), 2 ** 31, 2 ** 63, 1e-320];
const FIELDS = [
  '__proto__',
  'constructor',
  'toString',
  'id',
  'author',
  'authorId',
  'owner',
  'role',
  'personId',
  'boardId',
  'workspaceId',
  'createdAt',
  'length',
  '',
];

export function randomRequest(random: Random, place: Place): FuzzedRequest {
  const name = random.pick(NAMES);
  const { method, path, body } = requestTo(name, place);
  let mutated = body;
  while (random.chance(0.6)) mutated = mutateValue(random, mutated);
  return {
    method: random.chance(0.95) ? method : random.pick(METHODS),
    path: random.chance(0.7) ? path : mutatePath(random, path, place),
    raw: rawOf(random, mutated),
    headers: random.chance(0.8) ? {} : randomHeaders(random),
  };
}

/** JSON, mostly. */
function rawOf(random: Random, body: unknown): string | undefined {
  if (body === undefined && random.chance(0.8)) return undefined;
  const text = jsonOf(body);
  const kind = random.fraction();
  if (kind < 0.9) return text;
  if (kind < 0.93) return text.slice(0, random.below(text.length + 1));
  if (kind < 0.95) return `${text}${text}`;
  if (kind < 0.97) return `${'['.repeat(3000)}${text}${']'.repeat(3000)}`;
  return text.replace(/[\d"]/, random.pick(['NaN', '1e999', '0x10', '\\', '\\ud800', '{', '\u2028']));
}

/** A value as its JSON would be, with a `__proto__` where there is a field of that name. */
function jsonOf(value: unknown): string {
  return JSON.stringify(value) ?? 'undefined';
}

function mutateValue(random: Random, value: unknown): unknown {
  if (typeof value === 'object' && value !== null && random.chance(0.8)) return mutateInside(random, value);
  return randomValue(random, 0);
}

function mutateInside(random: Random, value: object): unknown {
  if (Array.isArray(value)) {
    const items: unknown[] = [...(value as unknown[])];
    const at = random.below(items.length + 1);
    const kind = random.below(4);
    if (kind === 0) items.splice(at, 1);
    else if (kind === 1) items.splice(at, 0, randomValue(random, 0));
    // Lists within lists multiply.
    else if (kind === 2) return Array.from({ length: typeof items[0] === 'object' ? 3 : 200 }, () => items[0] ?? 1);
    else items[at] = mutateValue(random, items[at]);
    return items;
  }
  const entries = Object.entries(value);
  const kind = random.below(4);
  if (kind === 0 || entries.length === 0) entries.push([random.pick(FIELDS), randomValue(random, 0)]);
  else {
    const at = random.below(entries.length);
    const [field = '', inner] = entries[at] ?? [];
    if (kind === 1) entries.splice(at, 1);
    else if (kind === 2) entries[at] = [random.pick(FIELDS), inner];
    else entries[at] = [field, mutateValue(random, inner)];
  }
  // Own properties, whatever they are called.
  const made: Record<string, unknown> = {};
  for (const [field, inner] of entries)
    Object.defineProperty(made, field, { value: inner, enumerable: true, configurable: true, writable: true });
  return made;
}

function randomValue(random: Random, depth: number): unknown {
  const inner = () => (depth < 4 ? randomValue(random, depth + 1) : 1);
  return random.pick<() => unknown>([
    () => random.pick(TEXTS),
    () => random.pick(TEXTS),
    () => random.pick(NUMBERS),
    () => null,
    () => true,
    () => [],
    () => ({}),
    () => [inner(), inner()],
    () => ({ [random.pick(FIELDS)]: inner() }),
    () => deep(random.below(2000)),
  ])();
}

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

function mutatePath(random: Random, path: string, place: Place): string {
  const [address = '/', query] = path.split('?', 2);
  const segments = address.split('/');
  const at = 1 + random.below(segments.length - 1);
  const ids = [place.boardId, place.workspaceId, place.runId, place.commentId, place.inviteId, place.host.person.id];
  switch (random.below(6)) {
    case 0:
      segments[at] = random.pick(SEGMENTS);
      break;
    case 1:
      segments[at] = random.pick(ids);
      break;
    case 2:
      segments.splice(at, 0, random.pick(SEGMENTS));
      break;
    case 3:
      segments.splice(at, 1);
      break;
    case 4:
      return `${address}?${random.pick(['q', 'before', 'token', 'version', '__proto__'])}=${encodeURIComponent(wellFormed(random.pick(TEXTS)))}`;
    default:
      segments[at] = `${segments[at]}${random.pick(SEGMENTS)}`;
  }
  return `${segments.join('/') || '/'}${query === undefined ? '' : `?${query}`}`;
}

function wellFormed(text: string): string {
  return Buffer.from(text.slice(0, 3000)).toString();
}

function randomHeaders(random: Random): FuzzedRequest['headers'] {
  return random.pick<() => FuzzedRequest['headers']>([
    () => ({ origin: random.pick([null, 'null', 'https://evil.example', 'x'.repeat(500)]) }),
    () => ({ host: random.pick(['evil.example', '', 'x:y', '[::1', 'x'.repeat(300)]) }),
    () => ({
      'content-type': random.pick([
        null,
        'text/plain',
        'application/json; charset=utf-7',
        'application/JSON',
        'multipart/form-data',
        'a'.repeat(300),
      ]),
    }),
    () => ({ accept: random.pick(['application/x-ndjson', 'text/html', '', '*/*;q=x']) }),
    () => ({
      cookie: random.pick(['pathboard.session_token=x.y', '=;=;=', 'a'.repeat(4000), '__proto__=1', 'pathboard.session_token=%zz']),
    }),
    () => ({ 'x-pathboard-secret': random.pick(['', 'x', 'a'.repeat(500)]) }),
    () => ({ 'x-forwarded-for': random.pick(['1.2.3.4', ',,,', '::1', 'x'.repeat(300)]), 'x-forwarded-proto': 'gopher' }),
    () => ({ 'accept-encoding': 'x', 'accept-language': 'x'.repeat(1000), range: 'bytes=0-1,5-', 'if-none-match': '*', te: 'trailers' }),
  ])();
}
