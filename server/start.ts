import { sql } from 'drizzle-orm';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { openDatabase, openPostgres, type Database, type OpenDatabase } from '../db/client.ts';
import { people } from '../db/schema.ts';
import { ensureOwner, type Person } from './access.ts';
import type { App } from './app.ts';
import { makeAuth } from './auth.ts';
import { storeSummary } from './boards.ts';
import type { Config } from './config.ts';
import type { Engine, Models } from './context.ts';
import { createDrawPng } from './draw-png.ts';
import { reportFault } from './faults.ts';
import { hubSettings } from './hub/settings.ts';
import { Imports } from './imports/imports.ts';
import { takeLock } from './lock.ts';
import { modelLimits } from './model-import.ts';
import { openLimits } from './rate-limits.ts';
import { LocalBus, type FanOut } from './realtime/fan-out.ts';
import { openRedisFanOut } from './realtime/redis-fan-out.ts';
import { Rooms, type RoomsOptions } from './realtime/rooms.ts';
import { Turns } from './turns.ts';
import { AutomaticVersions } from './versions.ts';

const MIGRATIONS = fileURLToPath(new URL('../db/migrations', import.meta.url));

export interface StartOptions {
  config: Config;
  engine: Engine;
  models: Models;
  /** what takes the engine's place where others on the same database compute too; closing it closes the engine */
  share?: (db: Database) => Promise<Engine>;
  now?: () => number;
  /** milliseconds for which an unused room stays loaded */
  unloadAfter?: number;
  compactAfter?: number;
  presencePause?: number;
  pollAfter?: RoomsOptions['pollAfter'];
}

export interface Started {
  app: App;
  /** Flushes and closes everything that was opened here, then gives the folder free. */
  stop(): Promise<void>;
}

/** Everything of the server but HTTP: the folder's lock, the database, the rooms. Throws a LockedError of one line. */
export async function start(options: StartOptions): Promise<Started> {
  const { config, engine: own, models, share, now = Date.now, unloadAfter = 30_000, compactAfter = 200, presencePause = 50 } = options;
  const { pollAfter = { down: 1000, up: 15_000 } } = options;
  // A served database has no folder that two processes could destroy.
  const release = config.databaseUrl === null ? takeLock(config.home) : () => {};
  try {
    const database = await open(config);
    const { db } = database;
    const engine = share ? await share(db) : own;
    const owner = await ensureOwner(db, now());
    const automatic = new AutomaticVersions();
    const { home } = config;
    const imports = await Imports.open({ home, settings: hubSettings(config, process.env), limits: modelLimits(process.env), now });
    const rooms = new Rooms({
      db,
      isShared: database.engine === 'postgres',
      fanOut: await openFanOut(config, db, owner),
      now,
      unloadAfter,
      compactAfter,
      presencePause,
      pollAfter,
      async onStore(tx, name, { before, after, isListed }) {
        if (isListed) await storeSummary(tx, name, after, now());
        if (name.kind === 'board') await automatic.onStore(tx, name.boardId, before, now());
      },
      onFault: reportFault,
    });
    const app: App = {
      config,
      now,
      db,
      database,
      rooms,
      auth: makeAuth(config, db),
      limits: openLimits(config),
      engine,
      models,
      imports,
      drawPng: createDrawPng(),
      verifying: new Turns(),
      environments: new Map(),
    };
    return {
      app,
      async stop() {
        await rooms.close();
        await imports.close();
        await engine.close();
        await app.limits.close();
        await database.close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

function open({ home, databaseUrl }: Config): Promise<OpenDatabase> {
  if (databaseUrl === null) return openDatabase(home, MIGRATIONS);
  return openPostgres(databaseUrl, MIGRATIONS, (error) => reportFault('database', error));
}

async function openFanOut({ redisUrl }: Config, db: Database, owner: Person): Promise<FanOut> {
  if (redisUrl === null) return new LocalBus().join();
  return openRedisFanOut({ url: redisUrl, prefix: await channelPrefix(db, owner), onFault: (error) => reportFault('bus', error) });
}

/** The same in every instance on a database, and another one in a copy of it. */
async function channelPrefix(db: Database, owner: Person): Promise<string> {
  const [place] = await db
    .select({
      name: sql<string>`current_database()`,
      oid: sql<string>`(select oid::text from pg_database where datname = current_database())`,
    })
    .from(people)
    .limit(1);
  const hash = createHash('sha256')
    .update(JSON.stringify([owner.id, place]))
    .digest('hex');
  return `pathboard:${hash.slice(0, 16)}`;
}
