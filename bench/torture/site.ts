import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eq } from 'drizzle-orm';
import type { Database } from '../../db/client.ts';
import { quarantine, workspaces, members } from '../../db/schema.ts';
import type { Deeds, Doom } from '../../server/testing/doom.ts';
import { newHome } from '../../server/testing/home.ts';
import { openAt, type Place } from '../../server/testing/place.ts';
import { ServerProcess } from '../../server/testing/server-process.ts';
import { freePort, startPostgres, startRedis, type Postgres, type Service } from '../../server/testing/services.ts';
import { openWorld, type World } from '../../server/testing/world.ts';

export type EngineName = 'pglite' | 'postgres';

const COMPACT_AFTER = 8;
const UNLOAD_AFTER = 60;
const PEOPLE = ['Ada', 'Grace', 'Katherine'];

export interface Launch {
  server: ServerProcess;
  /** it serves, or has ended before */
  ready: Promise<void>;
}

/** Servers in processes of their own, on one database, and who may use them. */
export class Site {
  readonly deeds: Deeds = { compactions: 0, appends: 0, unloads: 0 };
  readonly servers: (ServerProcess | null)[];
  /** servers that ended by themselves */
  readonly crashes: string[] = [];
  #spare = new ServerProcess();

  private constructor(
    readonly place: Place,
    readonly postgres: Postgres | null,
    readonly redis: Service | null,
    readonly ports: readonly number[],
    /** of editors of the workspace */
    readonly cookies: readonly string[],
  ) {
    this.servers = ports.map(() => null);
  }

  /** Null where what it needs is not installed. */
  static async open(engine: EngineName, instances: number): Promise<Site | null> {
    const postgres = engine === 'postgres' ? await startPostgres() : null;
    const redis = instances > 1 ? await startRedis() : null;
    if ((engine === 'postgres' && postgres === null) || (instances > 1 && redis === null)) {
      await postgres?.stop();
      await redis?.stop();
      return null;
    }
    const home = postgres ? mkdtempSync(join(tmpdir(), 'pathboard-torture-')) : await newHome();
    const place = { home, databaseUrl: postgres ? await postgres.createDatabase() : null };
    const ports: number[] = [];
    for (let n = 0; n < instances; n++) ports.push(await freePort());
    const world = await openWorld({ ...place, redisUrl: redis?.url ?? null });
    const cookies = await hire(world);
    await world.stop();
    return new Site(place, postgres, redis, ports, cookies);
  }

  get origins(): string[] {
    return this.ports.map((port) => `http://127.0.0.1:${port}`);
  }

  get redisUrl(): string | null {
    return this.redis?.url ?? null;
  }

  /** A new process that is told to start. Another one is made ready for the next time. */
  async launch(index: number, doom: Doom | null): Promise<Launch> {
    const server = this.#spare;
    this.#spare = new ServerProcess();
    await Promise.race([server.loaded, server.ended]);
    if (server.hasEnded) throw new Error(`server: expected it to load its modules, got\n${server.said}`);
    this.servers[index] = server;
    void server.ended.then(({ signal, code }) => {
      if (signal !== 'SIGKILL')
        this.crashes.push(`server ${index}: expected it to run until it is killed, got exit code ${code}\n${server.said}`);
      for (const deed of ['compactions', 'appends', 'unloads'] as const) this.deeds[deed] += server.deeds[deed];
    });
    const { place, redisUrl } = this;
    const port = this.ports[index]!;
    const ready = server.start({ place, redisUrl, port, compactAfter: COMPACT_AFTER, unloadAfter: UNLOAD_AFTER, doom });
    return { server, ready };
  }

  /** Starts those that do not run, and waits until they serve. */
  async launchAll(): Promise<void> {
    for (const [index, server] of this.servers.entries()) {
      if (server && !server.hasEnded) continue;
      const launch = await this.launch(index, null);
      await launch.ready;
      if (launch.server.hasEnded) throw new Error(`server: expected it to start, got\n${launch.server.said}`);
    }
  }

  async killAll(): Promise<void> {
    await Promise.all(this.servers.map((server) => server?.kill()));
  }

  /** Boards on which nothing has happened yet. No server may run on an embedded database meanwhile. */
  async makeBoards(count: number): Promise<string[]> {
    return this.inWorld(async (world) => {
      const owner = await world.owner();
      const ids: string[] = [];
      for (let n = 0; n < count; n++) ids.push(await world.board(owner));
      return ids;
    });
  }

  async inWorld<T>(work: (world: World) => Promise<T>): Promise<T> {
    const world = await openWorld({ ...this.place, redisUrl: this.redisUrl });
    try {
      return await work(world);
    } finally {
      await world.stop();
    }
  }

  async inDatabase<T>(work: (db: Database) => Promise<T>): Promise<T> {
    const { db, close } = await openAt(this.place);
    try {
      return await work(db);
    } finally {
      await close();
    }
  }

  /** Rows that were taken out of a log, although nobody poisoned one. */
  quarantined(): Promise<number> {
    return this.inDatabase((db) => db.$count(quarantine));
  }

  async close(): Promise<void> {
    await this.killAll();
    await this.#spare.kill();
    await this.postgres?.stop();
    await this.redis?.stop();
    rmSync(this.place.home, { recursive: true, force: true });
  }
}

/** Gives some people accounts, and the role of editors in the owner's workspace. Their cookies. */
async function hire(world: World): Promise<string[]> {
  const owner = await world.owner();
  const [row] = await world.app.db
    .select({ id: workspaces.id })
    .from(workspaces)
    .innerJoin(members, eq(members.workspaceId, workspaces.id))
    .where(eq(members.personId, owner.person.id));
  const workspaceId = row!.id;
  const cookies: string[] = [];
  for (const name of PEOPLE) cookies.push((await world.account(name, { workspaceId, role: 'editor' })).cookie);
  return cookies;
}
