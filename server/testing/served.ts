import { fileURLToPath } from 'node:url';
import { setApp } from '../app.ts';
import { onPort, readConfig } from '../config.ts';
import { reportFault } from '../faults.ts';
import { FrontDoor, createFrontServer, listen } from '../front-door.ts';
import { createLog, setLog } from '../log.ts';
import { openSockets } from '../realtime/sockets.ts';
import { closeServer, onStop, reportStrays } from '../shutdown.ts';
import { start } from '../start.ts';
import { answerApi } from './api.ts';
import { FakeEngine, fakeModels } from './fake-engine.ts';

/**
 * What main.ts starts but for the pages, in a process of its own and set by the environment, to be told to stop.
 * Prints the port. With `stalls` as its argument no analysis ever ends by itself.
 */

const wanted = readConfig(process.env, fileURLToPath(new URL('../..', import.meta.url)));
setLog(createLog(wanted.logLevel));
reportStrays();
const server = createFrontServer();
const door = new FrontDoor(server);
const config = onPort(wanted, await listen(server, wanted.host, wanted.port));
const engine = new FakeEngine();
engine.stalls = process.argv[2] === 'stalls';
const started = await start({ config, engine, models: fakeModels });
setApp(started.app);
const sockets = openSockets(started.app, null, (error) => reportFault('socket', error));
door.open(started.app, answerApi, sockets.upgrade);
onStop(() => closeServer({ server, door, sockets, started }));
process.stdout.write(`${config.port}\n`);
