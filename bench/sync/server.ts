import { createServer } from 'node:http';
import { configOf } from '../../server/config.ts';
import { createEngine } from '../../server/engine/index.ts';
import { reportFault } from '../../server/faults.ts';
import { listen, serve } from '../../server/front-door.ts';
import { openSockets } from '../../server/realtime/sockets.ts';
import { start } from '../../server/start.ts';
import type { CommonCalls, Handlers } from './child.ts';
import { answer, stats } from './peers/probe.mjs';
import { addPeople, makeBoards, type Entrant } from './people.ts';

/** The server under test: everything of Pathboard but its pages, in a process of its own. Its argument is {@link ServerOptions} as JSON. */

export interface ServerOptions {
  home: string;
  databaseUrl: string | null;
  redisUrl: string | null;
  /** milliseconds for which an unused room stays loaded; default the server's own */
  unloadAfter?: number;
}

export interface ServerCalls extends CommonCalls {
  /** boards, and people who may edit them all */
  prepare: { argument: { boards: number; people: number }; result: { boards: string[]; people: Entrant[] } };
  /** one analysis after the other until told to end; then how many were finished */
  analyse: { argument: boolean; result: number };
}

const { unloadAfter, ...given } = JSON.parse(process.argv[2] ?? '{}') as ServerOptions;
const server = createServer();
const port = await listen(server, '127.0.0.1', 0);
const config = configOf({ ...given, port });
const { models, devices: _, ...engine } = createEngine({ home: given.home });
const { app } = await start({ config, engine, models, ...(unloadAfter !== undefined && { unloadAfter }) });
const sockets = openSockets(app, null, (error) => reportFault('socket', error));
server.on('upgrade', sockets.upgrade);
serve(server, app, async (_, response) => void response.end());

let analysing: { goOn: boolean; ended: Promise<number> } | null = null;

/** Patches every edge of the built-in model over a set of prompts: seconds of work for every core that the engine takes. */
async function analyseUntilTold(state: { goOn: boolean }): Promise<number> {
  let finished = 0;
  while (state.goOn) {
    await engine.analyze({
      view: 'edge-patch',
      model: 'attn-2l',
      prompts: { generator: 'induction', count: 16, seed: finished },
      allEdges: true,
    });
    finished += 1;
  }
  return finished;
}

const handlers: Handlers<ServerCalls> = {
  stats,
  prepare: async ({ boards, people }) => ({ boards: await makeBoards(app, boards), people: await addPeople(app, people) }),
  async analyse(on) {
    if (!on) {
      if (!analysing) throw new Error('analyse: expected to be told to begin before to end');
      analysing.goOn = false;
      return analysing.ended;
    }
    const state = { goOn: true, ended: Promise.resolve(0) };
    state.ended = analyseUntilTold(state);
    analysing = state;
    return 0;
  },
};
answer(handlers);
process.send?.({ port });
