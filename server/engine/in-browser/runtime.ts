import { open, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser } from '@playwright/test';
import { build } from 'esbuild';
import { WebSocketServer, type WebSocket } from 'ws';
import { findBrowser } from '../../../e2e/browser.mjs';
import { EngineError } from '../../../lib/engine/index.ts';
import type { FloatTensor, Runtime, Session, Tensor } from '../../../lib/engine/runtime.ts';
import { readFrame, writeFrame, type Part, type ReadPart } from './frames.ts';
import type { Ask, Say } from './worker.ts';

/**
 * lib/worker's runtime on WebGPU in a headless Chromium, asked from here: what holds the server's runtime to its numbers
 * holds the browser's. Chromium computes WebGPU on the CPU where there is no GPU.
 */

const ORT = fileURLToPath(new URL('../../../node_modules/onnxruntime-web/dist/', import.meta.url));
const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));
const ARGS = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
const START_MS = 60_000;

type Unnumbered<T> = T extends { id: number } ? Omit<T, 'id'> : never;

interface Page {
  ask(ask: Unnumbered<Ask>, parts?: (Part & { data: ArrayBufferView })[]): Promise<ReadPart[]>;
  close(): Promise<void>;
}

let page: Promise<Page> | null = null;
let sessions = 0;

export function createPageRuntime(folder: string): Runtime {
  return {
    backend: { engine: 'onnxruntime-web', provider: 'webgpu', dtype: 'float32' },
    async open({ name, bytes, weights }) {
      page ??= startPage();
      const { ask } = await page;
      const session = sessions++;
      await ask({ type: 'open', session, folder, name, weights: [...weights] }, [{ name, dtype: 'bytes', dims: [], data: bytes }]);
      return new PageSession(ask, session);
    },
  };
}

/** The browser that computes for this process, if there is one. */
export async function closePage(): Promise<void> {
  await (await page)?.close();
  page = null;
}

class PageSession implements Session {
  constructor(
    readonly ask: Page['ask'],
    readonly session: number,
  ) {}

  async run(feeds: Record<string, Tensor>, into: Record<string, FloatTensor> = {}): Promise<Record<string, FloatTensor>> {
    const parts = Object.entries(feeds).map(([name, { data, dims }]) => {
      const dtype = data instanceof Int32Array ? ('int32' as const) : ('float32' as const);
      return { name, dtype, dims, data };
    });
    const outputs = await this.ask({ type: 'run', session: this.session }, parts);
    const read = outputs.map(({ name, dims, data }): [string, FloatTensor] => {
      const place = into[name];
      if (!place) return [name, { dims, data: data as Float32Array }];
      place.data.set(data);
      return [name, place];
    });
    return Object.fromEntries(read);
  }

  async close(): Promise<void> {
    await this.ask({ type: 'close', session: this.session });
  }
}

async function startPage(): Promise<Page> {
  const found = findBrowser();
  if (!found) throw new Error('browser: expected Chromium, got none (node e2e/browser.mjs installs one)');
  const script = await bundle();
  const server = createServer((request, response) => void serve(script, request, response));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const sockets = new WebSocketServer({ server, maxPayload: 1 << 30 });
  const connected = new Promise<WebSocket>((done) => sockets.once('connection', done));
  const browser = await chromium.launch({ ...found, args: [...found.args, ...ARGS] });
  const socket = await withinStart(browser, connected, port);
  const { ask, fail } = asking(socket);
  socket.once('close', () => fail(new Error('page: expected it to stay, got its end')));
  return {
    ask,
    async close() {
      await browser.close();
      sockets.close();
      server.close();
    },
  };
}

async function withinStart(browser: Browser, connected: Promise<WebSocket>, port: number): Promise<WebSocket> {
  const tab = await browser.newPage();
  const faults: string[] = [];
  tab.on('pageerror', (error) => faults.push(error.message));
  tab.on('console', (line) => faults.push(line.text()));
  await tab.goto(`http://127.0.0.1:${port}/`);
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`page: expected its worker to answer, got ${faults.join('; ') || 'nothing'}`)), START_MS).unref();
  });
  return Promise.race([connected, late]);
}

function asking(socket: WebSocket) {
  const waiting = new Map<number, { done(parts: ReadPart[]): void; failed(error: Error): void }>();
  let ids = 0;
  socket.on('message', (message: Buffer) => {
    const { says, parts } = readFrame<Say>(new Uint8Array(message).buffer);
    if (says.type === 'ready') return;
    const one = waiting.get(says.id);
    waiting.delete(says.id);
    if (says.type === 'done') one?.done(parts);
    else one?.failed(new EngineError(says.code, says.where, says.expected, says.got));
  });
  const ask: Page['ask'] = (what, parts = []) =>
    new Promise((done, failed) => {
      const id = ids++;
      waiting.set(id, { done, failed });
      socket.send(writeFrame({ ...what, id }, parts));
    });
  const fail = (error: Error) => {
    for (const { failed } of waiting.values()) failed(error);
    waiting.clear();
  };
  return { ask, fail };
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [WORKER],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}

async function serve(script: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://page');
  const send = (type: string, body: string | Uint8Array) => response.setHeader('content-type', type).end(body);
  try {
    if (pathname === '/') return void send('text/html', '<!doctype html><script>new Worker("/worker.js", { type: "module" })</script>');
    if (pathname === '/worker.js') return void send('text/javascript', script);
    if (pathname === '/weights') return void send('application/octet-stream', await readWeights(searchParams));
    if (!pathname.startsWith('/ort/')) return void response.writeHead(404).end();
    const type = pathname.endsWith('.wasm') ? 'application/wasm' : 'text/javascript';
    send(type, await readFile(join(ORT, basename(pathname))));
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
}

/** As many of the bytes as there are. */
async function readWeights(query: URLSearchParams): Promise<Uint8Array> {
  const [offset, length] = [Number(query.get('offset')), Number(query.get('length'))];
  const bytes = new Uint8Array(length);
  const handle = await open(join(query.get('folder')!, query.get('location')!));
  try {
    const { bytesRead } = await handle.read(bytes, 0, length, offset);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
