import { eq } from 'drizzle-orm';
import * as decoding from 'lib0/decoding';
import { rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { WebSocket } from 'ws';
// oxlint-disable-next-line no-restricted-imports -- the browser's side of the protocol, for tests alone
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { boards } from '../../db/schema.ts';
import type { Role } from '../../lib/roles.ts';
import { MESSAGE_EPOCH, MESSAGE_PERSISTED, type Setup } from '../../lib/wire.ts';
import { makeOwnerLink, personOfHeaders, redeemOwnerLink, type Person } from '../access.ts';
import { giveCredentials } from '../access/credentials.ts';
import { makeGuest } from '../access/guests.ts';
import { giveBoardRole, giveWorkspaceRole, makeWorkspace } from '../access/membership.ts';
import { checkName } from '../access/names.ts';
import type { App } from '../app.ts';
import { createBoard } from '../boards.ts';
import { configOf, type Config } from '../config.ts';
import { reportFault } from '../faults.ts';
import { createFrontServer, listen, serve } from '../front-door.ts';
import { openSockets } from '../realtime/sockets.ts';
import { start, type StartOptions } from '../start.ts';
import { FakeEngine, fakeModels } from './fake-engine.ts';
import { newHome } from './home.ts';

export { newHome } from './home.ts';

export const SETUP: Setup = { model: 'toy', prompt: 'When Mary', counterfactual: null, position: null, target: null, foil: null };
/** Of every account that {@link World.account} makes. */
export const PASSWORD = 'correct horse battery';

export interface Actor {
  person: Person;
  /** what their browser sends as `Cookie` */
  cookie: string;
}

export interface World {
  app: App;
  engine: FakeEngine;
  home: string;
  port: number;
  server: Server;
  owner(): Promise<Actor>;
  /** A board in the actor's first workspace. */
  board(actor: Actor): Promise<string>;
  /** Somebody without an account who has a role on the board. */
  guest(boardId: string, name: string, role?: Role): Promise<Actor>;
  /** Somebody with an account, `NAME@example.org`, and a workspace of their own; or with a role in another one alone. */
  account(name: string, place?: { workspaceId: string; role: Role }): Promise<Actor>;
  connect(actor: Actor | null, room: string, doc?: Y.Doc): Client;
  /** Closes everything, and removes the folder unless it was given. */
  stop(): Promise<void>;
}

/** Anything of the configuration, and how fast the rooms work. */
export type WorldOptions = Partial<Config> & Partial<Omit<StartOptions, 'config' | 'engine' | 'models'>>;

// Every provider listens for the end of the process.
process.setMaxListeners(0);

/** A whole server but for Next, on a folder of its own, or on the database of `databaseUrl`. */
export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const home = options.home ?? (await newHome());
  const engine = new FakeEngine();
  const server = createFrontServer();
  const port = await listen(server, '127.0.0.1', 0);
  const config = configOf({ ...options, home, port });
  const { app, stop } = await start({ presencePause: 10, ...options, config, engine, models: fakeModels });
  const sockets = openSockets(app, null, (error) => reportFault('socket', error));
  server.on('upgrade', sockets.upgrade);
  serve(server, app, async (_, response) => void response.end('served'));
  const clients = new Set<Client>();
  // It takes a while by design.
  let passwordHash: Promise<string> | null = null;

  const signIn = async (personId: string) => actorOf(app, await app.auth.open(personId, new Headers()));
  return {
    app,
    engine,
    home,
    port,
    server,
    async owner() {
      return actorOf(app, await redeemOwnerLink(app, tokenOf(await makeOwnerLink(app)), new Headers()));
    },
    async board({ person }) {
      return (await createBoard(app, person, { setup: SETUP })).id;
    },
    async guest(boardId, name, role = 'editor') {
      const id = await app.db.transaction(async (tx) => {
        const [board] = await tx.select().from(boards).where(eq(boards.id, boardId));
        if (!board) throw new Error(`guest: expected a board, got ${boardId}`);
        const guest = await makeGuest(tx, checkName(name));
        await giveBoardRole(tx, board, guest, role, app.now());
        return guest.id;
      });
      return signIn(id);
    },
    async account(name, place) {
      const hash = await (passwordHash ??= app.auth.hashPassword(PASSWORD));
      const id = await app.db.transaction(async (tx) => {
        const person = await makeGuest(tx, checkName(name));
        await giveCredentials(tx, person.id, `${name.toLowerCase().replaceAll(' ', '.')}@example.org`, hash);
        if (place) await giveWorkspaceRole(tx, place.workspaceId, person, place.role, app.now());
        else await makeWorkspace(tx, person, name, app.now());
        return person.id;
      });
      return signIn(id);
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

/** Who a browser is that was sent these `Set-Cookie` headers. */
export async function actorOf(app: App, cookies: readonly string[]): Promise<Actor> {
  const cookie = cookies.map((line) => line.split(';', 1)[0]).join('; ');
  const person = await personOfHeaders(app, { cookie });
  if (!person) throw new Error('session: expected one of somebody, got none');
  return { person, cookie };
}

/** A browser tab with a board open. */
export class Client {
  readonly provider: WebsocketProvider;
  persisted = 0;
  /** as the server said first of all */
  epoch: number | null = null;
  closed: { code: number; reason: string } | null = null;

  constructor(
    port: number,
    actor: Actor | null,
    room: string,
    readonly doc = new Y.Doc(),
  ) {
    this.provider = new WebsocketProvider(`ws://127.0.0.1:${port}/collab`, room, doc, {
      WebSocketPolyfill: socketOf(`http://127.0.0.1:${port}`, actor?.cookie ?? null),
      disableBc: true,
    });
    this.provider.messageHandlers[MESSAGE_PERSISTED] = (_, decoder) => {
      this.persisted = decoding.readVarUint(decoder);
    };
    this.provider.messageHandlers[MESSAGE_EPOCH] = (_, decoder) => {
      this.epoch = decoding.readVarUint(decoder);
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
export function socketOf(origin: string, cookie: string | null): typeof globalThis.WebSocket {
  class BrowserSocket extends WebSocket {
    constructor(url: string | URL) {
      super(url, { origin, headers: cookie === null ? {} : { cookie } });
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
