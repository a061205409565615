import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What every measured process shares, the peers' servers included: a clock, a way to be asked, and its own figures. */

const OFFSET = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Milliseconds of the machine's monotonic clock: the same in every process, and never set back. */
export function clock() {
  return performance.now() + OFFSET;
}

/**
 * Answers what the parent process asks over the channel between them, and ends with it.
 * @param {Record<string, (argument: any) => unknown>} handlers
 */
export function answer(handlers) {
  process.on('message', async ({ id, call, argument }) => {
    try {
      process.send?.({ id, result: await handlers[call](argument) });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  process.on('disconnect', () => process.exit(0));
}

/** The timer below fires every so many milliseconds; what is recorded is how much later than that it did. */
const RESOLUTION = 2;
const delays = monitorEventLoopDelay({ resolution: RESOLUTION });
delays.enable();

/**
 * The figures of this process; the event loop's delay since the last time that it was asked for.
 * @param {{ collect: boolean }} options whether to collect garbage first, for which the process runs with --expose-gc
 */
export async function stats({ collect }) {
  if (collect) {
    if (globalThis.gc === undefined) throw new Error('stats: expected a process with --expose-gc');
    // What finalizers free is gone after the second time.
    for (let round = 0; round < 2; round++) {
      globalThis.gc();
      await new Promise((done) => setTimeout(done, 50));
    }
  }
  const { user, system } = process.cpuUsage();
  const { heapUsed, external, rss } = process.memoryUsage();
  const late = (/** @type {number} */ nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION);
  const delay = {
    p50: late(delays.percentile(50)),
    p95: late(delays.percentile(95)),
    p99: late(delays.percentile(99)),
    max: late(delays.max),
  };
  delays.reset();
  return { at: clock(), cpuMs: (user + system) / 1000, heapUsed, external, rss, peakRss: process.resourceUsage().maxRSS * 1024, delay };
}
