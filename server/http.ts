import type { ZodType, core } from 'zod';
import { isEngineError } from '../lib/engine/index.ts';
import { id, type AnalyzeEvent, type ApiError } from '../lib/wire.ts';
import { personOfSession, type Person } from './access.ts';
import { app as liveApp, type App } from './app.ts';
import { sessionToken } from './cookies.ts';
import type { AnalyzeOptions } from './context.ts';
import { reportFault } from './faults.ts';
import { Refusal, isRefusal } from './refusal.ts';

/** What a route is given. `person` is who the session belongs to, or null. */
export interface Call<P> {
  app: App;
  person: Person | null;
  params: P;
  request: Request;
}

type Handler<P> = (request: Request, context: { params: Promise<P> }) => Promise<Response>;

const BODY_LIMIT = 1_000_000;
/** Milliseconds between two progress lines. */
const PROGRESS_PAUSE = 100;

/** A route handler: a Response is sent as it is, `undefined` as 204, anything else as JSON, a failure as ApiError. */
export function route<P extends Record<string, string> = Record<string, never>>(work: (call: Call<P>) => Promise<unknown>): Handler<P> {
  return async (request, context) => {
    try {
      const app = liveApp();
      // A route without parameters in its path is given none at all.
      const params: P = (await context.params) ?? {};
      checkIds(params);
      const person = await personOfSession(app, sessionToken(request.headers.get('cookie')));
      const result = await work({ app, person, params, request });
      if (result instanceof Response) return result;
      return result === undefined ? new Response(null, { status: 204 }) : json(result, 200);
    } catch (error) {
      const { status, body } = describeFailure(error, `${request.method} ${new URL(request.url).pathname}`);
      return json(body, status);
    }
  };
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
async function readText(request: Request, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
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
  internal: 500,
};

/** What a client is told; what it must not be told goes to the server's log. */
export function describeFailure(error: unknown, where: string): { status: number; body: ApiError } {
  if (isRefusal(error) || isEngineError(error)) {
    const { code, message, where: place } = error;
    if (STATUS[code] === 500) reportFault(where, error);
    return { status: STATUS[code] ?? 500, body: { error: { code, message, where: place } } };
  }
  reportFault(where, error);
  return {
    status: 500,
    body: { error: { code: 'internal', message: `${where}: expected an answer, got a fault that the server has logged` } },
  };
}

function json(value: unknown, status: number): Response {
  return Response.json(value, { status, headers: { 'cache-control': 'no-store' } });
}

/**
 * Answers with what `work` returns, or, where the client accepts ndjson, with a line for each piece of progress
 * and a last one for the outcome. A client that goes away cancels the work.
 */
export async function answerWith<T>(
  request: Request,
  work: (options: AnalyzeOptions) => Promise<T>,
  lastLine: (result: T) => AnalyzeEvent,
): Promise<Response> {
  if (!request.headers.get('accept')?.includes('application/x-ndjson')) return json(await work({ signal: request.signal }), 200);
  const cancelled = new AbortController();
  const signal = AbortSignal.any([request.signal, cancelled.signal]);
  const encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>({
    async start(controller) {
      const send = (event: AnalyzeEvent) => {
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
