import { isEngineError } from '../lib/engine/index.ts';
import type { Engine } from './context.ts';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** What /metrics tells. No label ever holds a person, a board, a title or an address. */
export type Metrics = ReturnType<typeof createMetrics>;

/** Seconds. */
const FAST = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const SLOW = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1200];

export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  const busUp = new Gauge({ registers, name: 'pathboard_bus_up', help: '1 while the bus between instances is connected, else 0' });
  // An instance that has no bus tells nothing about it, rather than that it is down.
  busUp.remove();
  const workers = new Gauge({ registers, name: 'pathboard_workers', help: 'Processes on this database that compute, this one included' });
  const jobs = new Gauge({
    registers,
    name: 'pathboard_jobs',
    help: 'Analyses on this database, whoever computes them',
    labelNames: ['state'],
  });
  // Nor does one that shares its jobs with nobody.
  workers.remove();
  return {
    registry,
    storeSeconds: new Histogram({
      registers,
      name: 'pathboard_store_seconds',
      help: 'From the receipt of an update to its acknowledgement',
      buckets: FAST,
    }),
    updates: new Counter({ registers, name: 'pathboard_updates_total', help: 'Updates of clients that were stored' }),
    closes: new Counter({ registers, name: 'pathboard_closes_total', help: 'Sockets that the server closed', labelNames: ['code'] }),
    busUp,
    compactions: new Counter({ registers, name: 'pathboard_compactions_total', help: 'Logs that were replaced by a snapshot' }),
    httpSeconds: new Histogram({
      registers,
      name: 'pathboard_http_seconds',
      help: 'From a request to the end of its answer',
      labelNames: ['route', 'status'],
      buckets: FAST,
    }),
    runSeconds: new Histogram({
      registers,
      name: 'pathboard_run_seconds',
      help: 'Analyses, waiting included',
      labelNames: ['view'],
      buckets: SLOW,
    }),
    runs: new Counter({ registers, name: 'pathboard_runs_total', help: 'Analyses by how they ended', labelNames: ['outcome'] }),
    rateLimited: new Counter({
      registers,
      name: 'pathboard_rate_limited_total',
      help: 'Requests refused because there were too many',
      labelNames: ['kind'],
    }),
    faults: new Counter({ registers, name: 'pathboard_faults_total', help: 'What went wrong and is in the log' }),
    sockets: new Gauge({ registers, name: 'pathboard_sockets', help: 'Open sockets in rooms' }),
    rooms: new Gauge({ registers, name: 'pathboard_rooms', help: 'Rooms that are loaded' }),
    waitingUpdates: new Gauge({ registers, name: 'pathboard_waiting_updates', help: 'Updates received and not yet stored' }),
    engineRunning: new Gauge({ registers, name: 'pathboard_engine_running', help: 'Jobs that the inference worker runs' }),
    workers,
    jobs,
    engineWaiting: new Gauge({ registers, name: 'pathboard_engine_waiting', help: 'Jobs that wait for the inference worker' }),
  };
}

/** Memory, processor time, open files, pauses of the event loop. Once a process. */
export function measureProcess({ registry }: Metrics): void {
  collectDefaultMetrics({ register: registry });
}

/** Counts what an engine is asked and how it ends. */
export function measured(engine: Engine, { runs, runSeconds }: Metrics = metrics): Engine {
  return {
    queue: () => engine.queue(),
    workers: () => engine.workers(),
    close: () => engine.close(),
    async analyze(request, options) {
      const began = performance.now();
      try {
        const answer = await engine.analyze(request, options);
        runs.inc({ outcome: 'done' });
        runSeconds.observe({ view: request.view }, (performance.now() - began) / 1000);
        return answer;
      } catch (error) {
        runs.inc({ outcome: outcomeOf(error) });
        throw error;
      }
    },
  };
}

function outcomeOf(error: unknown): 'cancelled' | 'refused' | 'failed' {
  if (!isEngineError(error) || error.code === 'runtime') return 'failed';
  return error.code === 'cancelled' ? 'cancelled' : 'refused';
}

declare global {
  var pathboardMetrics: Metrics | undefined;
}

/** Of this process. On the global object, because Next bundles what routes import apart from the server. */
export const metrics: Metrics = (globalThis.pathboardMetrics ??= createMetrics());
