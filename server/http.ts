import type { ZodType, core } from 'zod';
import { isEngineError } from '../lib/engine/index.ts';
import { id, type AnalyzeEvent, type ApiError } from '../lib/wire.ts';
import { requirePerson, sessionOfHeaders, type Person, type Session } from './access.ts';
import { app as liveApp, type App } from './app.ts';
import type { AnalyzeOptions } from './context.ts';
import { isUnavailable } from './database-errors.ts';
import { reportFault } from './faults.ts';
import { Refusal, isRefusal } from './refusal.ts';
import { kindOf } from './request-kind.ts';

/** What a route is given. `person` is who the session belongs to. */
export interface Call<P, Visitor = Person> {
  app: App;
  person: Visitor;
  params: P;
  request: Request;
}

type Handler<P> = (request: Request, context: { params: Promise<P> }) => Promise<Response>;
type Params = Record<string, string>;

const BODY_LIMIT = 1_000_000;
/** Milliseconds between two progress lines. */
const PROGRESS_PAUSE = 100;
/** A session that was not made to last longer for a day is. */
const RENEWAL = 24 * 3_600_000;

/**
 * A route handler for who is signed in: a Response is sent as it is, `undefined` as 204, anything else as JSON,
 * a failure as ApiError.
 */
export function route<P extends Params = Record<string, never>>(work: (call: Call<P>) => Promise<unknown>): Handler<P> {
  return publicRoute<P>((call) => work({ ...call, person: requirePerson(call.person) }));
}

/** As {@link route}, for anybody; `person` is null for who is not signed in. */
export function publicRoute<P extends Params = Record<string, never>>(
  work: (call: Call<P, Person | null>) => Promise<unknown>,
): Handler<P> {
  return async (request, context) => {
    try {
      const app = liveApp();
      // A route without parameters in its path is given none at all.
      const params: P = (await context.params) ?? {};
      checkIds(params);
      const session = await sessionOfHeaders(app, request.headers);
      if (session?.token) await app.limits.take(kindOf(request.method, new URL(request.url).pathname), { person: session.person.id });
      const result = await work({ app, person: session?.person ?? null, params, request });
      const response = responseOf(result);
      if (session) await renew(app, session, request, response);
      return response;
    } catch (error) {
      return failureResponse(error, `${request.method} ${new URL(request.url).pathname}`);
    }
  };
}

/** The ApiError of a failure. */
export function failureResponse(error: unknown, where: string): Response {
  const { status, body, retryAfter } = describeFailure(error, where);
  const response = json(body, status);
  if (retryAfter !== null) response.headers.set('retry-after', String(retryAfter));
  return response;
}

function responseOf(result: unknown): Response {
  if (result instanceof Response) return result;
  return result === undefined ? new Response(null, { status: 204 }) : json(result, 200);
}

/** Whoever comes back within the life of a session stays signed in. */
async function renew(app: App, { token, renewedAt }: Session, request: Request, response: Response): Promise<void> {
  if (token === null || app.now() - renewedAt < RENEWAL || response.headers.has('set-cookie')) return;
  withCookies(response, await app.auth.renew(token, request.headers));
}

/** Parameters named …Id hold ids, and are refused before they reach anything when they do not. */
function checkIds(params: Record<string, string>): void {
  for (const [name, value] of Object.entries(params)) {
    if (!name.endsWith('Id') || id.safeParse(value).success) continue;
    throw new Refusal('not-found', name.slice(0, -2), 'an id of 8 to 40 letters, digits, _ or -', quote(value));
  }
}

/** The body as JSON of the given shape. */
export async function readBody<T>(request: Request, shape: ZodType<T>, limit = BODY_LIMIT): Promise<T> {
  const type = request.headers.get('content-type') ?? '';
  if (!/^application\/json\b/i.test(type)) throw new Refusal('bad-request', 'content-type', 'application/json', quote(type));
  const value = parseJson(await readText(request, limit));
  const parsed = shape.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw refusalOf(parsed.error.issues[0]);
}

/**
 * Keeps no more than `limit` bytes, whatever the request says its length is. The rest is read all the same: a
 * body left half-read would hold up the next request on its connection.
 */
export async function readText(request: Request, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  const read = () =>
    reader?.read().catch(() => Promise.reject(new Refusal('bad-request', 'body', 'all of it', 'a connection that broke off')));
  for (let next = await read(); next && !next.done; next = await read()) {
    size += next.value.length;
    if (size <= limit) chunks.push(next.value);
    else chunks.length = 0;
  }
  if (size > limit) throw new Refusal('too-large', 'body', `at most ${limit} bytes`, `more`);
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal('bad-request', 'body', 'JSON', text === '' ? 'nothing' : quote(text));
  }
}

function refusalOf(issue: core.$ZodIssue | undefined): Refusal {
  if (!issue) return new Refusal('bad-request', 'body', 'another shape', 'this one');
  const where = issue.path.length > 0 ? issue.path.join('.') : 'body';
  if (issue.code === 'unrecognized_keys') return new Refusal('bad-request', where, 'known fields alone', issue.keys.map(quote).join(', '));
  return new Refusal('bad-request', where, expectedBy(issue), issue.input === undefined ? 'nothing' : quote(issue.input));
}

function expectedBy(issue: core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `a value of type ${issue.expected}`;
    case 'too_small':
      if (issue.minimum === 1 && issue.origin === 'string') return 'at least one character';
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unitOf(issue.origin)}`;
    case 'too_big':
      return `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unitOf(issue.origin)}`;
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_format':
      return issue.message.startsWith('an ')
        ? issue.message
        : `text in the form of ${issue.format === 'regex' ? issue.pattern : issue.format}`;
    default:
      return issue.message;
  }
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' items' : '';
}

const STATUS: Record<ApiError['error']['code'], number> = {
  'bad-request': 400,
  'bad-name': 400,
  'bad-path': 400,
  'bad-tokens': 400,
  'unknown-model': 404,
  'unknown-view': 404,
  'bad-weights': 422,
  'bad-config': 422,
  unsupported: 422,
  cancelled: 499,
  runtime: 500,
  unauthorised: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'too-large': 413,
  'too-fast': 429,
  unavailable: 503,
  internal: 500,
};

/** Seconds after which a database that did not answer may do so. */
const DATABASE_PAUSE = 5;

export interface Failure {
  status: number;
  body: ApiError;
  retryAfter: number | null;
}

/** What a client is told; what it must not be told goes to the server's log. */
export function describeFailure(error: unknown, where: string): Failure {
  if (isRefusal(error) || isEngineError(error)) {
    const { code, message, where: place } = error;
    if (STATUS[code] === 500) reportFault(where, error);
    const retryAfter = 'retryAfter' in error && typeof error.retryAfter === 'number' ? error.retryAfter : null;
    return { status: STATUS[code] ?? 500, body: { error: { code, message, where: place } }, retryAfter };
  }
  reportFault(where, error);
  const fault: ApiError['error'] = isUnavailable(error)
    ? { code: 'unavailable', message: `${where}: expected the database to answer, got nothing; try again later` }
    : { code: 'internal', message: `${where}: expected an answer, got a fault that the server has logged` };
  return { status: STATUS[fault.code], body: { error: fault }, retryAfter: fault.code === 'unavailable' ? DATABASE_PAUSE : null };
}

export function withCookies(response: Response, cookies: readonly string[]): Response {
  for (const cookie of cookies) response.headers.append('set-cookie', cookie);
  return response;
}

function json(value: unknown, status: number): Response {
  return Response.json(value, { status, headers: { 'cache-control': 'no-store' } });
}

/**
 * Answers with what `work` returns, or, where the client accepts ndjson, with a line for each piece of progress
 * and a last one for the outcome. A client that goes away cancels the work.
 */
export async function answerWith<T, Last extends { type: string } = AnalyzeEvent>(
  request: Request,
  work: (options: AnalyzeOptions) => Promise<T>,
  lastLine: (result: T) => Last,
): Promise<Response> {
  if (!request.headers.get('accept')?.includes('application/x-ndjson')) return json(await work({ signal: request.signal }), 200);
  const cancelled = new AbortController();
  const signal = AbortSignal.any([request.signal, cancelled.signal]);
  const encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>({
    async start(controller) {
      const send = (event: AnalyzeEvent | Last) => {
        if (!signal.aborted) controller.enqueue(encoder.encode(`${JSON.stringify(event)}\n`));
      };
      try {
        send(lastLine(await work({ signal, onProgress: throttled((progress) => send({ type: 'progress', ...progress })) })));
      } catch (error) {
        send({ type: 'error', ...describeFailure(error, `${request.method} ${new URL(request.url).pathname}`).body });
      }
      if (!signal.aborted) controller.close();
    },
    cancel: () => cancelled.abort(),
  });
  return new Response(stream, { headers: { 'content-type': 'application/x-ndjson; charset=utf-8', 'cache-control': 'no-store' } });
}

function throttled(send: NonNullable<AnalyzeOptions['onProgress']>): NonNullable<AnalyzeOptions['onProgress']> {
  let last = 0;
  return (progress) => {
    const now = Date.now();
    if (now - last < PROGRESS_PAUSE && progress.done < progress.total) return;
    last = now;
    send(progress);
  };
}

function quote(value: unknown): string {
  const text = jsonOf(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

/** A value can be nested deeper than it can be written out. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return Array.isArray(value) ? '[…]' : '{…}';
  }
}
