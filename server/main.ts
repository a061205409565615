import next from 'next';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Database } from '../db/client.ts';
import { isEngineError } from '../lib/engine/index.ts';
import { makeOwnerLink, ownerHasPassword } from './access.ts';
import { isLoopback } from './address.ts';
import { setApp, type App } from './app.ts';
import { purgeBin } from './bin.ts';
import { onPort, readConfig, warningsOf, withoutSecrets, type Config } from './config.ts';
import { isUnavailable } from './database-errors.ts';
import { lineOfDevice } from './engine/device-line.ts';
import { createEngine } from './engine/index.ts';
import { reportOf, type ErrorReport } from './error-report.ts';
import { reportFault } from './faults.ts';
import { makeHome } from './files.ts';
import { FrontDoor, createFrontServer, listen, type Upgrade } from './front-door.ts';
import { removeLocalServer, writeLocalServer } from './local.ts';
import { captureConsole, createLog, log, setLog } from './log.ts';
import { measureProcess, measured, metrics } from './metrics.ts';
import { openSockets } from './realtime/sockets.ts';
import { isRefusal } from './refusal.ts';
import { closeServer, onStop, reportStrays } from './shutdown.ts';
import { StartError } from './start-error.ts';
import { start, type Started } from './start.ts';

/** One process: Next, the sockets and the engine. */

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DAY = 24 * 3_600_000;

async function main(): Promise<void> {
  const wanted = readConfig(process.env, ROOT);
  for (const warning of warningsOf(process.env, wanted)) process.stderr.write(`${warning}\n`);
  setLog(createLog(wanted.logLevel));
  reportStrays();
  makeHome(wanted.home);
  measureProcess(metrics);
  const server = createFrontServer();
  const door = new FrontDoor(server);
  // Where only this machine is served, listening comes first: a taken port must not cost the opening of a database.
  const isPublic = !isLoopback(wanted.host);
  const config = isPublic ? wanted : onPort(wanted, await listen(server, wanted.host, wanted.port));
  // A server that nobody listens on takes the upgrade listener that Next would put on ours.
  const decoy = createServer();
  const pages = next({ dev: config.dev, dir: ROOT, hostname: config.host, port: config.port, httpServer: decoy, quiet: config.dev });
  const release = captureConsole();
  const [started] = await Promise.all([open(config), pages.prepare()]);
  // Those who develop see what Next prints. Elsewhere it stays in the log: with an error Next prints what was asked for.
  if (config.dev) release();
  const { app } = started;
  setApp(app);
  const sockets = openSockets(app, config.dev ? hotReload(decoy) : null, (error) => reportFault('socket', error));
  door.open(app, pages.getRequestHandler(), sockets.upgrade);
  if (isPublic) await letOthersIn(server, started);
  // The command on this machine reaches a server that listens everywhere by the machine's own address.
  const host = ['0.0.0.0', '::'].includes(config.host) ? '127.0.0.1' : config.host;
  writeLocalServer(config.home, { pid: process.pid, host, port: config.port, secret: config.localSecret });
  onStop(async () => {
    removeLocalServer(config.home);
    await closeServer({ server, door, sockets, started });
    await pages.close();
  });
  await announce(app);
  emptyBin(app);
  // The first page asks for the models: their worker starts now, rather than then.
  app.models.list().catch(() => {});
}

async function open(config: Config): Promise<Started> {
  const { models, devices, device, ...engine } = createEngine({ home: config.home, wanted: config.wanted });
  const { databaseUrl: url, workerName: name, workerLease: lease } = config;
  const share = async (db: Database, sharedUrl: string) => {
    const { openSharedQueue } = await import('./queue/shared.ts');
    const onFault = (error: unknown) => reportFault('jobs', error);
    const takes = config.engine === 'on';
    const place = { db, url: sharedUrl, onFault };
    const { precision } = config.wanted;
    // Until the device has been tried it counts as one of float32. Where it cannot be, the first analysis says so.
    if (takes && precision !== 'float32') await device().catch(() => {});
    return measured(
      await openSharedQueue({ ...place, engine, models, devices, precision, takes, name, kind: 'server', lease, patience: 0 }),
    );
  };
  device().then(
    (chosen) => log()[chosen.provider === 'cpu' && config.wanted.device === 'cuda' ? 'warn' : 'info'](`engine: ${lineOfDevice(chosen)}`),
    () => {},
  );
  try {
    return await start({ config, engine: measured(engine), models, ...(url !== null && { share: (db) => share(db, url) }) });
  } catch (error) {
    throw config.databaseUrl === null ? error : (refusalToOpen(error, config.databaseUrl) ?? error);
  }
}

/** Nobody answers there, nobody by that name, no such database: what whoever set DATABASE_URL can mend. */
function refusalToOpen(error: unknown, databaseUrl: string): StartError | null {
  const { code } = deepest(reportOf(error));
  if (!isUnavailable(error) && !/^(?:28|3D)/.test(code ?? '')) return null;
  return new StartError(`DATABASE_URL: expected a database that lets us in at ${withoutSecrets(databaseUrl)}, got ${code ?? 'no answer'}`);
}

function deepest(report: ErrorReport): ErrorReport {
  const inner = report.cause ?? report.errors?.[0];
  return inner ? deepest(inner) : report;
}

/** Nobody from elsewhere comes in before the owner has a password. */
async function letOthersIn(server: Server, { app, stop }: Started): Promise<void> {
  const { host, port } = app.config;
  try {
    if (!(await ownerHasPassword(app.db))) {
      const command = 'npm run -s pathboard -- password sets one';
      throw new StartError(`HOST: expected 127.0.0.1, localhost or ::1 until the owner has a password, got ${host} (${command})`);
    }
    await listen(server, host, port);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The development server's own socket: Next listens for it on the server that nobody listens on. */
function hotReload(decoy: Server) {
  return (...[request, socket, head]: Parameters<Upgrade>): boolean => {
    const isHot = /^\/_next\/(?:webpack-)?hmr\b/.test(request.url ?? '');
    return isHot && decoy.emit('upgrade', request, socket, head);
  };
}

async function announce(app: App): Promise<void> {
  const { home, databaseUrl, redisUrl, publicUrl } = app.config;
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  const database = databaseUrl === null ? home : withoutSecrets(databaseUrl);
  const bus = redisUrl === null ? '' : `, shared through ${withoutSecrets(redisUrl)}`;
  // What is printed may be kept in a journal: an owner who can sign in otherwise needs no link there.
  const entry = (await ownerHasPassword(app.db))
    ? `Sign in at ${publicUrl}/sign-in (npm run -s pathboard -- link prints a link that signs the owner in)`
    : `Open ${await makeOwnerLink(app)} (works once, for a day; npm run -s pathboard -- link prints another)`;
  const lines = [
    `Pathboard ${version} is ready on ${publicUrl}`,
    entry,
    `Data in ${database}${bus}, models in ${resolve(home, 'models')} and ${resolve(ROOT, 'public/models')}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Now and every day: boards that have been in the bin for too long. */
function emptyBin(app: App): void {
  const purge = () => {
    purgeBin(app).then(
      (boards) => boards > 0 && log().info('bin emptied', { boards }),
      (error: unknown) => reportFault('bin', error),
    );
  };
  purge();
  setInterval(purge, DAY).unref();
}

try {
  await main();
} catch (error) {
  const isPlain =
    error instanceof StartError || isRefusal(error) || isEngineError(error) || (error instanceof Error && 'isLockedError' in error);
  if (isPlain) process.stderr.write(`${error.message}\n`);
  else createLog('error').error('start', error);
  process.exit(1);
}
