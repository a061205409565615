import type { ApiError } from '@/lib/wire.ts';
import { strings } from './strings.ts';

/** An API answer that is not a success, or none at all (`status` 0). `message` is the server's line. */
export class RequestFailure extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly where: string | null,
  ) {
    super(message);
    this.name = 'RequestFailure';
  }

  get isOffline(): boolean {
    return this.status === 0;
  }
}

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  body?: unknown;
  signal?: AbortSignal;
}

export async function send(
  url: string,
  { method = 'GET', body, signal }: RequestOptions = {},
  accept = 'application/json',
): Promise<Response> {
  const headers: Record<string, string> = { accept };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const init: RequestInit = { method, headers, credentials: 'same-origin' };
  if (body !== undefined) init.body = JSON.stringify(body);
  if (signal) init.signal = signal;
  const response = await fetch(url, init).catch((cause: unknown) => {
    if (signal?.aborted) throw cause;
    throw new RequestFailure(0, 'offline', strings.errors.unreachable, null);
  });
  if (response.ok) return response;
  throw failureOf(response.status, await response.json().catch(() => null));
}

export async function request<T>(url: string, options?: RequestOptions): Promise<T> {
  const response = await send(url, options);
  if (response.status === 204) return undefined as T;
  return (await response.json().catch((cause: unknown) => {
    if (options?.signal?.aborted) throw cause;
    // The connection broke within the answer.
    throw new RequestFailure(0, 'offline', strings.errors.unreachable, null);
  })) as T;
}

export function failureOf(status: number, body: unknown): RequestFailure {
  const error = (body as Partial<ApiError> | null)?.error ?? authErrorOf(body);
  if (!error) return new RequestFailure(status, 'internal', strings.errors.status(status), null);
  return new RequestFailure(status, error.code, error.message, error.where ?? null);
}

/** What /api/auth/… says when it refuses. */
function authErrorOf(body: unknown): { code: string; message: string; where?: string } | null {
  const { code, message } = (body ?? {}) as { code?: unknown; message?: unknown };
  return typeof message === 'string' ? { code: String(code), message } : null;
}

/** One line for a person; null for what they cancelled themselves. */
export function lineOf(error: unknown): string | null {
  if (error instanceof DOMException && error.name === 'AbortError') return null;
  if (error instanceof RequestFailure && error.code === 'cancelled') return null;
  return error instanceof Error ? error.message : String(error);
}
