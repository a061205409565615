import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configOf } from '../config.ts';
import { analyze } from '../runs.ts';
import { start, type Started } from '../start.ts';
import { fakeModels } from '../testing/fake-engine.ts';
import { hasPostgres, startPostgres, type Postgres } from '../testing/services.ts';
import { until } from '../testing/world.ts';
import { cpuDevice } from './device.ts';
import { openSharedQueue } from './shared.ts';
import { Bench, short } from './testing.ts';

/** Whole servers, but for HTTP, that begin on an empty database at the same moment. */
describe.skipIf(!hasPostgres())('servers on one Postgres', () => {
  let postgres: Postgres;
  const home = mkdtempSync(join(tmpdir(), 'pathboard-servers-'));
  const faults: unknown[] = [];

  beforeAll(async () => {
    const started = await startPostgres();
    if (!started) throw new Error('PostgreSQL: expected it to be installed');
    postgres = started;
  });
  // Ending a cluster and removing its files takes long on a machine that does much else.
  afterAll(async () => {
    await postgres.stop();
    rmSync(home, { recursive: true, force: true });
  }, 120_000);

  function open(databaseUrl: string, name: string, bench: Bench, takes = true): Promise<Started> {
    const config = configOf({ home, databaseUrl });
    const engine = bench.engine();
    const place = { url: databaseUrl, engine, models: fakeModels, devices: [cpuDevice(1)], takes, name, kind: 'server' } as const;
    const share = (db: Parameters<NonNullable<Parameters<typeof start>[0]['share']>>[0]) =>
      openSharedQueue({ ...place, db, lease: 1000, patience: 0, onFault: (error) => faults.push(error) });
    return start({ config, engine, models: fakeModels, share });
  }

  test('compute for each other, and one that stops in the middle leaves its job to the other', async () => {
    const url = await postgres.createDatabase({ empty: true });
    const [here, there] = [new Bench(), new Bench()];
    const [asking, computing] = await Promise.all([open(url, 'here', here, false), open(url, 'there', there)]);
    expect((await asking.app.engine.workers()).map(({ name, kind }) => [name, kind])).toEqual([['there', 'server']]);
    const asked = analyze(asking.app, short('far'), { person: 'somebody' });
    await until(() => there.begun.length === 1);
    const third = new Bench();
    third.letAll();
    const other = await open(url, 'third', third);
    await computing.stop();
    expect((await asked).terms.length).toBeGreaterThan(0);
    expect(third.begun).toEqual(['far']);
    await Promise.all([asking.stop(), other.stop()]);
    expect(faults).toEqual([]);
  });
});
