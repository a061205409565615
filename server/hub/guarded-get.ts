import { request as requestHttp, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Refusal } from '../refusal.ts';
import { judgedLookup, resolveBySystem, type Resolve } from './addresses.ts';

/** Where models may come from. */
export interface HubSettings {
  /** HF_ENDPOINT */
  endpoint: string;
  /** MODEL_HOSTS: names, or `*.name` for everything below one. The endpoint's own host needs no mention. */
  hosts: readonly string[];
  /** HF_TOKEN: shown to the endpoint and to nobody else */
  token?: string | undefined;
  /** milliseconds in which something must come */
  patience?: number;
  resolve?: Resolve;
}

export interface Answer {
  body: IncomingMessage;
  /** what the endpoint itself said, whoever sends the body */
  hub: IncomingHttpHeaders;
}

export const DEFAULT_ENDPOINT = 'https://huggingface.co';
/** Where Hugging Face keeps large files changes by region and year; all of it is below these. */
export const DEFAULT_HOSTS: readonly string[] = ['huggingface.co', '*.huggingface.co', '*.hf.co'];
const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];
const REDIRECTS = [301, 302, 303, 307, 308];
const MOST_REDIRECTS = 5;
const PATIENCE = 30_000;

/**
 * GET, following redirects by hand: every hop must lead to an allowed host, over https, at a public address.
 * The answer is the first that is no redirect, its body unread.
 */
export async function guardedGet(
  start: string,
  headers: Record<string, string>,
  settings: HubSettings,
  signal?: AbortSignal,
): Promise<Answer> {
  let url = new URL(start);
  let hub: IncomingHttpHeaders = {};
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    checkUrl(url, settings);
    const body = await get(url, headers, settings, signal);
    if (isEndpoint(url, settings)) hub = { ...hub, ...body.headers };
    if (!REDIRECTS.includes(body.statusCode ?? 0)) return { body, hub };
    body.destroy();
    url = target(body, url);
  }
  throw new Refusal('unavailable', start, `at most ${MOST_REDIRECTS} redirects`, 'more');
}

/** @throws Refusal where nothing may be fetched from there */
function checkUrl(url: URL, settings: HubSettings): void {
  const { endpoint, hosts } = settings;
  const isOwn = isEndpoint(url, settings);
  const where = `model address ${url.origin === 'null' ? url.href.slice(0, 200) : url.origin}`;
  if (url.protocol !== 'https:' && !(isOwn && url.protocol === 'http:' && LOOPBACK.includes(url.hostname))) {
    throw new Refusal('forbidden', where, 'https', url.protocol.slice(0, -1));
  }
  if (url.username !== '' || url.password !== '') throw new Refusal('forbidden', where, 'no name and password in it', 'some');
  const isAllowed = isOwn || (url.port === '' && hosts.some((host) => matches(url.hostname, host)));
  if (isAllowed) return;
  throw new Refusal('forbidden', where, `one of ${[new URL(endpoint).host, ...hosts].join(', ')} (MODEL_HOSTS)`, url.host);
}

function isEndpoint(url: URL, { endpoint }: HubSettings): boolean {
  return url.origin === new URL(endpoint).origin;
}

function matches(host: string, pattern: string): boolean {
  return pattern.startsWith('*.') ? host.endsWith(pattern.slice(1).toLowerCase()) : host === pattern.toLowerCase();
}

/** Whoever runs this machine has named this very host; what we name by default is not that. */
function isNamed(url: URL, { endpoint, hosts }: HubSettings): boolean {
  if (DEFAULT_HOSTS.includes(url.hostname)) return false;
  return hosts.includes(url.hostname) || url.hostname === new URL(endpoint).hostname;
}

function get(url: URL, headers: Record<string, string>, settings: HubSettings, signal?: AbortSignal): Promise<IncomingMessage> {
  const { token, patience = PATIENCE, resolve = resolveBySystem } = settings;
  const options: RequestOptions & { autoSelectFamily: boolean } = {
    headers: {
      'user-agent': 'pathboard',
      'accept-encoding': 'identity',
      ...headers,
      ...(token && isEndpoint(url, settings) && { authorization: `Bearer ${token}` }),
    },
    // A connection of its own, to the addresses that are judged now.
    agent: false,
    autoSelectFamily: true,
    lookup: judgedLookup(resolve, isNamed(url, settings)),
    timeout: patience,
    signal,
  };
  return new Promise((answered, failed) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options);
    request.on('timeout', () => request.destroy(new Error(`nothing came for ${patience} ms`)));
    request.on('error', failed);
    request.on('response', answered);
    request.end();
  });
}

function target({ headers, statusCode }: IncomingMessage, from: URL): URL {
  const { location } = headers;
  if (location === undefined || !URL.canParse(location, from)) {
    throw new Refusal('unavailable', from.origin, `an address to go to with status ${statusCode}`, JSON.stringify(location ?? null));
  }
  return new URL(location, from);
}
