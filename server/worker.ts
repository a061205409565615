import { fileURLToPath } from 'node:url';
import { openPostgres } from '../db/client.ts';
import { readWorkerConfig, withoutSecrets, type WorkerConfig } from './config.ts';
import { isUnavailable } from './database-errors.ts';
import { lineOfDevice } from './engine/device-line.ts';
import { createEngine } from './engine/index.ts';
import { reportFault } from './faults.ts';
import { makeHome } from './files.ts';
import { listen } from './front-door.ts';
import { createLog, log, setLog } from './log.ts';
import { measureProcess, measured, metrics } from './metrics.ts';
import { MIGRATIONS } from './backup/migrations.ts';
import { isRefusal } from './refusal.ts';
import { onStop, reportStrays } from './shutdown.ts';
import { StartError } from './start-error.ts';
import { VERSION } from './version.ts';
import { createWorkerServer } from './worker-health.ts';

/** `npm run worker`: computes what servers on the same database are asked, and serves nobody. */

/** Milliseconds that jobs have to end in when the worker stops; what is not done then goes to others. */
const PATIENCE = 8000;

async function main(): Promise<void> {
  const config = readWorkerConfig(process.env, fileURLToPath(new URL('..', import.meta.url)));
  setLog(createLog(config.logLevel));
  reportStrays();
  makeHome(config.home);
  measureProcess(metrics);
  const database = await open(config);
  const { openSharedQueue } = await import('./queue/shared.ts');
  const { models, devices, device: tried, ...engine } = createEngine({ home: config.home });
  // Before others are told what computes here.
  const chosen = await tried();
  const { databaseUrl: url, workerName: name, workerLease: lease } = config;
  const onFault = (error: unknown) => reportFault('jobs', error);
  const place = { db: database.db, url, onFault };
  const queue = await openSharedQueue({
    ...place,
    engine: measured(engine),
    models,
    devices,
    takes: true,
    name,
    kind: 'worker',
    lease,
    patience: PATIENCE,
  });
  const health = createWorkerServer(database);
  if (config.port !== null) await listen(health, config.host, config.port);
  onStop(async () => {
    health.close();
    await queue.close();
    await database.close();
    health.closeAllConnections();
  });
  const listed = (await models.list()).map((model) => model.name);
  const [device] = devices;
  log().info(`engine: ${lineOfDevice(chosen)}`);
  process.stdout.write(
    `Pathboard ${VERSION} worker ${name} is ready for ${withoutSecrets(url)}\n` +
      `Computes on ${device?.provider} (${device?.dtype}, ${device?.threads} threads) with ${listed.join(', ') || 'no model'}\n`,
  );
}

async function open({ databaseUrl }: WorkerConfig) {
  try {
    return await openPostgres(databaseUrl, MIGRATIONS, (error) => reportFault('database', error));
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    throw new StartError(`DATABASE_URL: expected a database that answers at ${withoutSecrets(databaseUrl)}, got no answer`);
  }
}

try {
  await main();
} catch (error) {
  if (error instanceof StartError || isRefusal(error)) process.stderr.write(`${error.message}\n`);
  else createLog('error').error('start', error);
  process.exit(1);
}
