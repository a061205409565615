import { availableParallelism } from 'node:os';
import { findOwner, type Person } from '../access.ts';
import type { App } from '../app.ts';
import { readConfig } from '../config.ts';
import { createEngine } from '../engine/index.ts';
import { start } from '../start.ts';
import { ROOT } from './options.ts';

/** All of the server but HTTP, for as long as `work` takes. */
export async function withApp<T>(home: string, work: (app: App, owner: Person) => Promise<T>): Promise<T> {
  const config = { ...readConfig(process.env, ROOT), home };
  const { models, devices: _, ...engine } = createEngine({ home, threads: availableParallelism() });
  const { app, stop } = await start({ config, engine, models }).catch(async (error: unknown) => {
    await engine.close();
    throw error;
  });
  try {
    const owner = await findOwner(app.db);
    if (!owner) throw new Error('people: expected the owner of this installation, got nobody');
    return await work(app, owner);
  } finally {
    await stop();
  }
}
