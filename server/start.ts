import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '../db/client.ts';
import { ensureOwner } from './access.ts';
import type { App } from './app.ts';
import { storeSummary } from './boards.ts';
import type { Engine, Models } from './context.ts';
import { reportFault } from './faults.ts';
import { takeLock } from './lock.ts';
import { Rooms } from './realtime/rooms.ts';

const MIGRATIONS = fileURLToPath(new URL('../db/migrations', import.meta.url));

export interface StartOptions {
  home: string;
  host: string;
  port: number;
  engine: Engine;
  models: Models;
  now?: () => number;
  /** milliseconds for which an unused room stays loaded */
  unloadAfter?: number;
  compactAfter?: number;
  presencePause?: number;
}

export interface Started {
  app: App;
  /** Flushes and closes everything that was opened here, then gives the folder free. */
  stop(): Promise<void>;
}

/** Everything of the server but HTTP: the folder's lock, the database, the rooms. Throws a LockedError of one line. */
export async function start(options: StartOptions): Promise<Started> {
  const { home, host, port, engine, models, now = Date.now, unloadAfter = 30_000, compactAfter = 200, presencePause = 50 } = options;
  const release = takeLock(home);
  try {
    const { db, close } = await openDatabase(home, MIGRATIONS);
    await ensureOwner(db, now());
    const rooms = new Rooms({
      db,
      now,
      unloadAfter,
      compactAfter,
      presencePause,
      onStore: (tx, name, doc) => storeSummary(tx, name, doc, now()),
      onFault: reportFault,
    });
    const secret = randomBytes(32).toString('base64url');
    const app: App = { config: { home, host, port, secret }, now, db, rooms, engine, models, environments: new Map() };
    return {
      app,
      async stop() {
        await rooms.close();
        await engine.close();
        await close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}
