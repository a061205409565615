import type { AnalyzeRequest, Answer } from '@/lib/engine/index.ts';
import type { AnalyzeEvent, Run, TokenText } from '@/lib/wire.ts';
import { computing } from './computing.ts';
import { RequestFailure, failureOf, request, send } from './request.ts';
import { strings } from './strings.ts';

export interface Progress {
  done: number;
  total: number;
  what: string;
}

export interface StreamOptions {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** Asks the engine, the server's or this browser's; progress comes while it works and aborting the signal cancels the work. */
export async function analyze(body: AnalyzeRequest, options: StreamOptions = {}): Promise<Answer> {
  if (computing.state.where === 'browser') return computing.analyze(body, options);
  const last = await stream('/api/analyze', body, options);
  if (last.type === 'result') return last.answer;
  throw new RequestFailure(502, 'internal', strings.errors.cutShort, null);
}

/** Has the server compute, and store the result as a run of the board. */
export async function execute(boardId: string, body: AnalyzeRequest, options: StreamOptions = {}): Promise<Run> {
  const last = await stream(`/api/boards/${boardId}/runs`, body, options);
  if (last.type === 'run') return last.run;
  throw new RequestFailure(502, 'internal', strings.errors.cutShort, null);
}

async function stream(url: string, body: AnalyzeRequest, { signal, onProgress }: StreamOptions): Promise<AnalyzeEvent> {
  const response = await send(url, { method: 'POST', body, ...(signal ? { signal } : {}) }, 'application/x-ndjson');
  for await (const line of linesOf(response)) {
    const event = JSON.parse(line) as AnalyzeEvent;
    if (event.type === 'error') throw failureOf(422, event);
    if (event.type !== 'progress') return event;
    onProgress?.({ done: event.done, total: event.total, what: event.what });
  }
  throw new RequestFailure(502, 'internal', strings.errors.cutShort, null);
}

async function* linesOf(response: Response): AsyncGenerator<string> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line.trim() !== '');
  }
  if (rest.trim() !== '') yield rest;
}

/** The tokens of a text. */
export async function tokenize(model: string, text: string, signal: AbortSignal): Promise<TokenText[]> {
  if (computing.state.where === 'browser') return computing.tokenize(model, text, { signal });
  const url = `/api/models/${encodeURIComponent(model)}/tokenize`;
  return (await request<{ tokens: TokenText[] }>(url, { method: 'POST', body: { text }, signal })).tokens;
}

const FOUND = 50;

/** Tokens whose text matches, best first. */
export async function searchTokens(model: string, query: string, signal: AbortSignal): Promise<TokenText[]> {
  if (computing.state.where === 'browser') return computing.searchTokens(model, query, FOUND, { signal });
  const url = `/api/models/${encodeURIComponent(model)}/tokens?q=${encodeURIComponent(query)}`;
  return (await request<{ tokens: TokenText[] }>(url, { signal })).tokens;
}
