import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { ENGINE_VERSION, type AnalyzeRequest, type Answer } from '../../lib/engine/index.ts';
import type { WorkerSummary } from '../../lib/wire.ts';
import type { AnalyzeOptions, Engine, Models } from '../context.ts';
import { digest } from '../run-key.ts';
import { VERSION } from '../version.ts';
import type { Device } from './device.ts';
import { jobOf } from './job.ts';
import { Joining } from './joining.ts';
import { modelsHere } from './models-here.ts';
import { Places } from './places.ts';

/** What computes, once it is a job's turn. */
export type Compute = (request: AnalyzeRequest, options: Pick<AnalyzeOptions, 'signal' | 'onProgress'>) => Promise<Answer>;

export interface LocalQueueOptions {
  compute: Compute;
  models: Pick<Models, 'list' | 'dictionaries'>;
  devices: Device[];
  close(): Promise<void>;
}

/** The jobs of one process, which computes them itself. */
export function createLocalQueue({ compute, models, devices, close }: LocalQueueOptions): Engine {
  const places = new Places();
  const joining = new Joining();
  const startedAt = Date.now();
  const id = randomUUID();
  return {
    async analyze(request, options = {}) {
      const job = jobOf(request, options);
      const key = options.fresh ? randomUUID() : digest(request);
      const inTurn = async ({ signal, onProgress }: AnalyzeOptions) => {
        const leave = await places.take(job, signal);
        return compute(request, { signal, onProgress }).finally(leave);
      };
      return joining.share(key, inTurn, options);
    },
    queue: () => ({ running: places.running, waiting: places.waiting }),
    async workers(): Promise<WorkerSummary[]> {
      const known = await modelsHere(models);
      const version = { version: VERSION, engineVersion: ENGINE_VERSION };
      const { running } = places;
      return [{ id, name: hostname(), kind: 'server', ...version, devices, models: known, running, startedAt, silentFor: 0, takes: true }];
    },
    close,
  };
}
