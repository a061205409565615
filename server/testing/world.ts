import * as decoding from 'lib0/decoding';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
// oxlint-disable-next-line no-restricted-imports -- the browser's side of the protocol, for tests alone
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { openDatabase } from '../../db/client.ts';
import { MESSAGE_PERSISTED, type Setup } from '../../lib/wire.ts';
import { ensureOwner, invite, join as joinBoard, makeOwnerLink, personOfSession, redeemOwnerLink, type Person } from '../access.ts';
import type { App } from '../app.ts';
import { createBoard } from '../boards.ts';
import { reportFault } from '../faults.ts';
import { listen, serve } from '../front-door.ts';
import { openSockets } from '../realtime/sockets.ts';
import { start, type StartOptions } from '../start.ts';
import { FakeEngine, fakeModels } from './fake-engine.ts';

export const SETUP: Setup = { model: 'toy', prompt: 'When Mary', counterfactual: null, position: null, target: null, foil: null };

export interface Actor {
  person: Person;
  /** of the session */
  token: string;
}

export interface World {
  app: App;
  engine: FakeEngine;
  home: string;
  port: number;
  server: Server;
  owner(): Promise<Actor>;
  board(actor: Actor): Promise<string>;
  guest(boardId: string, name: string): Promise<Actor>;
  connect(actor: Actor | null, room: string, doc?: Y.Doc): Client;
  /** Closes everything, and removes the folder unless it was given. */
  stop(): Promise<void>;
}

// Every provider listens for the end of the process.
process.setMaxListeners(0);

/** A whole server but for Next, on a folder of its own. */
export async function openWorld(options: Partial<StartOptions> = {}): Promise<World> {
  const home = options.home ?? (await newHome());
  const engine = new FakeEngine();
  const server = createServer();
  const port = await listen(server, '127.0.0.1', 0);
  const { app, stop } = await start({ home, host: '127.0.0.1', port, engine, models: fakeModels, presencePause: 10, ...options });
  const sockets = openSockets(app, null, (error) => reportFault('socket', error));
  server.on('upgrade', sockets.upgrade);
  serve(server, app.config, async (_, response) => void response.end('served'));
  const clients = new Set<Client>();
  return {
    app,
    engine,
    home,
    port,
    server,
    async owner() {
      const token = await redeemOwnerLink(app, tokenOf(await makeOwnerLink(app)));
      return { token, person: await ensureOwner(app.db, app.now()) };
    },
    async board({ person }) {
      return (await createBoard(app, person, { setup: SETUP })).id;
    },
    async guest(boardId, name) {
      const token = await invite(app, await ensureOwner(app.db, app.now()), boardId);
      const { session } = await joinBoard(app, null, { token, name });
      const person = await personOfSession(app, session);
      if (!session || !person) throw new Error('a guest without a session');
      return { token: session, person };
    },
    connect(actor, room, doc) {
      const client = new Client(port, actor, room, doc);
      clients.add(client);
      return client;
    },
    async stop() {
      for (const client of clients) client.destroy();
      await stop();
      sockets.close();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      if (!options.home) rmSync(home, { recursive: true, force: true });
    },
  };
}

/** A browser tab with a board open. */
export class Client {
  readonly provider: WebsocketProvider;
  persisted = 0;
  closed: { code: number; reason: string } | null = null;

  constructor(
    port: number,
    actor: Actor | null,
    room: string,
    readonly doc = new Y.Doc(),
  ) {
    this.provider = new WebsocketProvider(`ws://127.0.0.1:${port}/collab`, room, doc, {
      WebSocketPolyfill: socketOf(`http://127.0.0.1:${port}`, actor?.token ?? null),
      disableBc: true,
    });
    this.provider.messageHandlers[MESSAGE_PERSISTED] = (_, decoder) => {
      this.persisted = decoding.readVarUint(decoder);
    };
    this.provider.on('closed', (close) => (this.closed = close));
  }

  get labels(): Y.Map<unknown> {
    return this.doc.getMap('labels');
  }

  synced(): Promise<void> {
    return until(() => this.provider.synced || this.closed !== null);
  }

  /** Sends raw bytes over the open connection. */
  send(frame: Uint8Array): void {
    this.provider.ws?.send(new Uint8Array(frame));
  }

  destroy(): void {
    this.provider.destroy();
  }
}

/** A browser sends the page's origin and its cookies; Node's socket must be told. */
export function socketOf(origin: string, token: string | null): typeof globalThis.WebSocket {
  class BrowserSocket extends WebSocket {
    constructor(url: string | URL) {
      super(url, { origin, headers: token === null ? {} : { cookie: `pathboard_session=${token}` } });
    }
  }
  return BrowserSocket as unknown as typeof globalThis.WebSocket;
}

export async function until(condition: () => boolean, timeout = 10_000): Promise<void> {
  const end = Date.now() + timeout;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`still not true after ${timeout} ms: ${condition}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}

export function tokenOf(link: string): string {
  return new URL(link).searchParams.get('token') ?? '';
}

const MIGRATIONS = fileURLToPath(new URL('../../db/migrations', import.meta.url));
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/pathboard', import.meta.url));

/** A folder with a migrated, empty database: copied, because making one takes seconds. Whoever asks removes it. */
export async function newHome(): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'pathboard-test-'));
  cpSync(await template(), join(home, 'db'), { recursive: true });
  return home;
}

async function template(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of readdirSync(MIGRATIONS).sort()) if (name.endsWith('.sql')) hash.update(readFileSync(join(MIGRATIONS, name)));
  const folder = join(CACHE, `db-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const draft = mkdtempSync(join(CACHE, 'draft-'));
  const { close } = await openDatabase(draft, MIGRATIONS);
  await close();
  try {
    renameSync(join(draft, 'db'), folder);
  } catch (error) {
    // Another worker was faster.
    if (!existsSync(folder)) throw error;
  }
  rmSync(draft, { recursive: true, force: true });
  return folder;
}
