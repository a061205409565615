import next from 'next';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeOwnerLink, originOf } from './access.ts';
import { setApp, type Config } from './app.ts';
import { createEngine } from './engine/index.ts';
import { reportFault } from './faults.ts';
import { StartError, listen, serve } from './front-door.ts';
import { refuseHost } from './guard.ts';
import { removeLocalServer, writeLocalServer } from './local.ts';
import { openSockets, type Upgrade } from './realtime/sockets.ts';
import { isRefusal } from './refusal.ts';
import { start } from './start.ts';

/** One process: Next, the sockets and the engine. */

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** What is still being answered when the server is told to stop has this long. */
const GRACE = 5_000;

/** What the environment variables say. */
interface Settings {
  dev: boolean;
  home: string;
  host: string;
  port: number;
}

async function main(): Promise<void> {
  const { dev, home, host, port: wanted } = readSettings(process.env);
  const server = createServer();
  // Listening first: a taken port must not cost the opening of a database. Who comes early waits.
  const early: [IncomingMessage, ServerResponse][] = [];
  const hold = (...both: [IncomingMessage, ServerResponse]) => void early.push(both);
  server.on('request', hold);
  const port = await listen(server, host, wanted);
  const { models, ...engine } = createEngine({ home });
  // A server that nobody listens on takes the upgrade listener that Next would put on ours.
  const decoy = createServer();
  const pages = next({ dev, dir: ROOT, hostname: host, port, httpServer: decoy, quiet: true });
  const [{ app, stop }] = await Promise.all([start({ home, host, port, engine, models }), quietly(() => pages.prepare())]);
  setApp(app);
  const sockets = openSockets(app, dev ? hotReload(decoy) : null, (error) => reportFault('socket', error));
  server.on('upgrade', sockets.upgrade);
  server.off('request', hold);
  serve(server, app.config, pages.getRequestHandler());
  for (const both of early) server.emit('request', ...both);
  writeLocalServer(home, { pid: process.pid, host, port, secret: app.config.secret });
  onStop(async () => {
    removeLocalServer(home);
    server.close();
    await stop();
    sockets.close();
    server.closeAllConnections();
    await pages.close();
  });
  announce(app.config, await makeOwnerLink(app));
  // The first page asks for the models: their worker starts now, rather than then.
  models.list().catch(() => {});
}

function readSettings(env: NodeJS.ProcessEnv): Settings {
  const host = env['HOST'] || '127.0.0.1';
  const refused = refuseHost(host);
  if (refused) throw new StartError(refused);
  const port = env['PORT'] || '3000';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new StartError(`PORT: expected 0 to 65535, got ${JSON.stringify(port)}`);
  return {
    dev: env['NODE_ENV'] === 'development',
    home: resolve(env['PATHBOARD_HOME'] || resolve(ROOT, '.pathboard')),
    host: host.replaceAll(/[[\]]/g, ''),
    port: Number(port),
  };
}

/** The development server's own socket: Next listens for it on the server that nobody listens on. */
function hotReload(decoy: Server) {
  return (...[request, socket, head]: Parameters<Upgrade>): boolean => {
    const isHot = /^\/_next\/(?:webpack-)?hmr\b/.test(request.url ?? '');
    return isHot && decoy.emit('upgrade', request, socket, head);
  };
}

/** Next tells about its configuration; whoever starts Pathboard is to see three lines. Errors are shown as ever. */
async function quietly(work: () => Promise<void>): Promise<void> {
  const { log } = console;
  console.log = () => {};
  try {
    await work();
  } finally {
    console.log = log;
  }
}

function announce({ host, port, home }: Config, link: string): void {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  console.log(`Pathboard ${version} is ready on ${originOf(host, port)}`);
  console.log(`Open ${link} (works once, for a day; npm run -s pathboard -- link prints another)`);
  console.log(`Data in ${home}, models in ${resolve(home, 'models')} and ${resolve(ROOT, 'public/models')}`);
}

function onStop(stop: () => Promise<void>): void {
  let stopping = false;
  const begin = () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), GRACE).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', begin);
  process.on('SIGINT', begin);
  // The channel to launch.mjs, where that started this process: when it is killed, so are we.
  process.on('disconnect', begin);
}

try {
  await main();
} catch (error) {
  const isPlain = error instanceof StartError || isRefusal(error) || (error instanceof Error && 'isLockedError' in error);
  console.error(isPlain ? error.message : error);
  process.exit(1);
}
