import type { Server } from 'node:http';
import { reportFault } from './faults.ts';
import type { FrontDoor } from './front-door.ts';
import { log } from './log.ts';
import type { Sockets } from './realtime/sockets.ts';
import type { Started } from './start.ts';

/** Milliseconds after which a process that is stopping ends, whatever it still does. */
const GRACE = 15_000;
/** A key pressed in a terminal reaches this process twice: by itself, and through the one that started it. */
const SAME_SIGNAL = 1000;

/** Milliseconds that requests have to be answered in; those that are not are cancelled. */
const PATIENCE = 4000;

export interface Running {
  server: Server;
  door: FrontDoor;
  sockets: Sockets;
  started: Started;
}

/**
 * Takes nothing new, finishes what has begun, stores what was accepted, tells those who are connected to come
 * again, and closes. Nothing that was acknowledged is lost.
 */
export async function closeServer({ server, door, sockets, started }: Running): Promise<void> {
  server.close();
  const unanswered = await door.close(PATIENCE);
  if (unanswered > 0) log().warn('stopping: requests cancelled', { unanswered });
  await started.stop();
  sockets.close();
  server.closeAllConnections();
}

/** Runs `stop` at the first signal to end, and ends the process. A second signal ends it at once. */
export function onStop(stop: () => Promise<void>): void {
  let since: number | null = null;
  const begin = (signal: string) => {
    if (since !== null) {
      if (Date.now() - since < SAME_SIGNAL) return;
      log().warn('stopped at once', { signal });
      process.exit(1);
    }
    since = Date.now();
    log().info('stopping', { signal });
    setTimeout(() => {
      log().warn('stopping took too long', { ms: GRACE });
      process.exit(1);
    }, GRACE).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        reportFault('stopping', error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => begin('SIGTERM'));
  process.on('SIGINT', () => begin('SIGINT'));
  // The channel to launch.mjs, where that started this process: when it is killed, so are we.
  process.on('disconnect', () => since === null && begin('disconnect'));
}

/** What nobody caught. */
export function reportStrays(): void {
  process.on('unhandledRejection', (error) => reportFault('unhandled', error));
  process.on('uncaughtException', (error) => {
    // What was acknowledged is stored; what state the process is in now, nobody knows.
    reportFault('uncaught', error);
    process.exit(1);
  });
}
