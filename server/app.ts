import type { Database, OpenDatabase } from '../db/client.ts';
import type { Auth } from './auth.ts';
import type { Config } from './config.ts';
import type { Engine, Models } from './context.ts';
import type { DrawPng } from './draw-png.ts';
import type { Imports } from './imports/imports.ts';
import type { Limits } from './rate-limits.ts';
import type { Rooms } from './realtime/rooms.ts';
import type { Turns } from './turns.ts';

/** What an execution depends on beside its inputs. */
export interface Environment {
  engineVersion: string;
  provider: string;
  dtype: string;
}

export interface App {
  config: Config;
  /** epoch milliseconds */
  now: () => number;
  db: Database;
  database: Pick<OpenDatabase, 'engine' | 'ping'>;
  rooms: Rooms;
  auth: Auth;
  limits: Limits;
  engine: Engine;
  models: Models;
  /** of models */
  imports: Imports;
  drawPng: DrawPng;
  /** verifications of published pages, one at a time */
  verifying: Turns;
  /** by model hash: what its last answer ran on */
  environments: Map<string, Environment>;
}

declare global {
  var pathboardApp: App | undefined;
}

/**
 * The live objects of this process. Next bundles what routes import apart from the server, so a module's own
 * variables exist twice; the global object exists once.
 */
export function app(): App {
  const live = globalThis.pathboardApp;
  if (!live) throw new Error('server: expected a process started by server/main.ts, got one without its live objects');
  return live;
}

export function setApp(live: App): void {
  globalThis.pathboardApp = live;
}
