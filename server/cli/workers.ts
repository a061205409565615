import type { WorkerSummary } from '../../lib/wire.ts';
import { readConfig } from '../config.ts';
import { findServer, isGone } from '../local.ts';
import { Refusal } from '../refusal.ts';
import { ROOT, type Command } from './options.ts';
import { columns, print } from './output.ts';

/** Who computes: as the server that runs on this folder says, or as its database does. */
export async function workers({ home, values }: Command): Promise<void> {
  const known = await readWorkers(home);
  print(known, values, () => (known.length === 0 ? ['no worker and no server runs'] : columns(known.map(rowOf))));
}

async function readWorkers(home: string): Promise<WorkerSummary[]> {
  const server = findServer(home);
  if (server) {
    try {
      return await server.ask<WorkerSummary[]>('GET', '/api/workers');
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  const { databaseUrl } = readConfig(process.env, ROOT);
  if (databaseUrl === null) {
    throw new Refusal(
      'unavailable',
      'workers',
      'a server that runs, or DATABASE_URL',
      'neither: the embedded database has no workers but its server',
    );
  }
  const [{ openPostgresAsItIs }, { listWorkers }, { ENGINE_VERSION }] = await Promise.all([
    import('../../db/unmigrated.ts'),
    import('../queue/registry.ts'),
    import('../../lib/engine/index.ts'),
  ]);
  const { db, close } = await openPostgresAsItIs(databaseUrl);
  try {
    return await listWorkers(db, ENGINE_VERSION);
  } finally {
    await close();
  }
}

function rowOf({ name, kind, devices, models, running, takes, engineVersion, version, silentFor }: WorkerSummary): string[] {
  const device = devices
    .map(
      ({ provider, dtype, threads, notCuda }) =>
        `${provider} ${dtype}, ${threads} threads${notCuda === undefined ? '' : `, in place of cuda: ${notCuda}`}`,
    )
    .join('; ');
  const state = takes ? `${running} running` : `takes nothing from here: engine ${engineVersion}`;
  const listed = models.map((model) => `${model.name} ${model.hash.slice(0, 12)}`).join(', ') || 'no model';
  return [name, kind, device, listed, state, `Pathboard ${version}`, `seen ${(silentFor / 1000).toFixed(1)} s ago`];
}
