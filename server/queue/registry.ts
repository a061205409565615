import { eq, sql } from 'drizzle-orm';
import type { Database } from '../../db/client.ts';
import { workers } from '../../db/schema.ts';
import type { WorkerSummary } from '../../lib/wire.ts';
import { VERSION } from '../version.ts';
import { dbNow } from './clock.ts';
import type { Device } from './device.ts';

/** What a worker says of itself. */
export interface Announcement {
  id: string;
  name: string;
  kind: WorkerSummary['kind'];
  engineVersion: string;
  devices: readonly Device[];
  models: WorkerSummary['models'];
  running: number;
  /** milliseconds of silence after which others may take what it holds */
  lease: number;
}

/** Says that it is here, for the first time, once more, or again after it was struck off. */
export async function announce(db: Database, { id, ...said }: Announcement): Promise<void> {
  const row = { ...said, version: VERSION, seenAt: dbNow };
  await db
    .insert(workers)
    .values({ id, ...row, startedAt: dbNow })
    .onConflictDoUpdate({ target: workers.id, set: row });
}

export async function leave(db: Database, id: string): Promise<void> {
  await db.delete(workers).where(eq(workers.id, id));
}

/** Those that have been heard of within their lease, servers first, by name. */
export async function listWorkers(db: Database, engineVersion: string): Promise<WorkerSummary[]> {
  const rows = await db
    .select({ worker: workers, silentFor: sql<string>`greatest(0, ${dbNow} - ${workers.seenAt})` })
    .from(workers)
    .where(sql`${workers.seenAt} + ${workers.lease} >= ${dbNow}`)
    .orderBy(workers.kind, workers.name, workers.id);
  return rows.map(({ worker: { lease: _1, seenAt: _2, devices, models, ...worker }, silentFor }) => ({
    ...worker,
    devices: devices as Device[],
    models: models as WorkerSummary['models'],
    silentFor: Number(silentFor),
    takes: worker.engineVersion === engineVersion,
  }));
}
