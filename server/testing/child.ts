import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { setApp } from '../app.ts';
import { configOf } from '../config.ts';
import { reportFault } from '../faults.ts';
import { listen, serve } from '../front-door.ts';
import { openSockets } from '../realtime/sockets.ts';
import { start } from '../start.ts';
import { answerApi } from './api.ts';
import { LOADED, READY, tell, watch } from './doom.ts';
import { FakeEngine, fakeModels } from './fake-engine.ts';
import type { ServerOptions } from './server-process.ts';

/** A whole server but for its pages, in a process of its own, to be killed: see server-process.ts. */

const orders = createInterface(process.stdin);
// Who started it is gone: so is it.
orders.on('close', () => process.kill(process.pid, 'SIGKILL'));
tell(LOADED);
const [order] = (await once(orders, 'line')) as [string];
const { place, port, redisUrl, doom, compactAfter, unloadAfter } = JSON.parse(order) as ServerOptions;

const server = createServer();
const config = configOf({ ...place, redisUrl, port, rateLimits: 'off' });
const { app } = await start({ config, engine: new FakeEngine(), models: fakeModels, presencePause: 10, compactAfter, unloadAfter });
setApp(app);
watch(app, doom);
const sockets = openSockets(app, null, (error) => reportFault('socket', error));
server.on('upgrade', sockets.upgrade);
serve(server, app, answerApi);
await listen(server, '127.0.0.1', port);
tell(READY);
