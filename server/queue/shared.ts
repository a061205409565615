import { randomUUID } from 'node:crypto';
import type { Database } from '../../db/client.ts';
import { ENGINE_VERSION } from '../../lib/engine/index.ts';
import type { WorkerSummary } from '../../lib/wire.ts';
import type { Engine, Models } from '../context.ts';
import { isUnavailable } from '../database-errors.ts';
import type { WantedDevice } from '../engine/wanted-device.ts';
import { metrics } from '../metrics.ts';
import { Asker } from './asker.ts';
import { Channel } from './channel.ts';
import type { Device } from './device.ts';
import { announce, leave, listWorkers } from './registry.ts';
import { JobStore, type Claim } from './store.ts';
import { Taker } from './taker.ts';

export interface SharedQueueOptions {
  db: Database;
  /** of the same database: what is told at once comes over a connection of its own */
  url: string;
  /** computes in this process, and is closed with the queue */
  engine: Engine;
  models: Pick<Models, 'list' | 'dictionaries'>;
  devices: readonly Device[];
  /** in which it asks for answers, whoever computes them; default float32 */
  precision?: WantedDevice['precision'];
  /** whether this process computes, or only asks */
  takes: boolean;
  name: string;
  kind: WorkerSummary['kind'];
  /** of the engine: whoever has another one is left alone */
  engineVersion?: string;
  /** milliseconds of silence after which a worker counts as dead */
  lease: number;
  /** milliseconds that jobs may take to their end when this stops; what is not done then goes to others */
  patience: number;
  onFault: (error: unknown) => void;
}

/** A worker says that it lives so many times in its lease. */
const BEATS = 6;
/** Every so many beats models are read anew, and old answers cleared away. */
const SELDOM = 30;

/** The jobs of all processes on one Postgres: see store.ts. */
export async function openSharedQueue(options: SharedQueueOptions): Promise<Engine> {
  const { db, url, engine, models, onFault, engineVersion = ENGINE_VERSION } = options;
  const store = await JobStore.open({ db, url, engineVersion, onFault });
  const channel = new Channel(url, (error) => {
    // It comes back by itself, and until then everybody looks now and then.
    if (!isUnavailable(error)) onFault(error);
  });
  await channel.open();
  const id = randomUUID();
  const taker = options.takes ? new Taker({ id, db, store, channel, engine, models, devices: options.devices, onFault }) : null;
  const presence = new Presence(id, { ...options, engineVersion }, store, taker);
  await presence.begin();
  const asker = new Asker({
    store,
    channel,
    models,
    workers: (anew) => presence.workers(anew),
    engineVersion,
    dtype: options.precision ?? 'float32',
    grace: 2 * options.lease,
    onFault,
  });
  return {
    analyze: (request, given) => asker.analyze(request, given),
    queue: () => ({ running: taker?.running ?? 0, waiting: asker.asked }),
    workers: () => listWorkers(db, engineVersion),
    async close() {
      await asker.close();
      await taker?.close(options.patience);
      await presence.end();
      await channel.close();
      await store.close();
      await engine.close();
    },
  };
}

/** Says that this worker lives, hears who else does, and hands on what the dead have held. */
class Presence {
  #listed: WorkerSummary[] = [];
  #timer: NodeJS.Timeout | null = null;
  #beating: Promise<void> | null = null;
  #beats = 0;
  /** attempts that were this worker's at the last beat though it computes none of them */
  #idle = new Set<string>();
  /** since when no beat has failed; null after one did */
  #soundSince: number | null = null;

  constructor(
    private readonly id: string,
    private readonly options: SharedQueueOptions & { engineVersion: string },
    private readonly store: JobStore,
    private readonly taker: Taker | null,
  ) {}

  async begin(): Promise<void> {
    await this.taker?.readModels();
    await this.#beat();
    this.#timer = setInterval(() => void this.#try(), Math.max(20, this.options.lease / BEATS));
  }

  /** Those that live, as of the last beat; `anew` reads them, and the models that are here, now. */
  async workers(anew: boolean): Promise<WorkerSummary[]> {
    if (anew) {
      await this.taker?.readModels();
      await this.#announce();
      this.#listed = await listWorkers(this.options.db, this.options.engineVersion);
    }
    return this.#listed;
  }

  async end(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await this.#beating;
    if (this.taker) await leave(this.options.db, this.id).catch(() => {});
  }

  /** One at a time, however slow the database is. */
  async #try(): Promise<void> {
    if (this.#beating) return;
    this.#beating = this.#beat().catch((error: unknown) => {
      this.#soundSince = null;
      if (!isUnavailable(error)) this.options.onFault(error);
    });
    await this.#beating;
    this.#beating = null;
  }

  async #beat(): Promise<void> {
    const { db, lease, engineVersion } = this.options;
    const beats = this.#beats++;
    const isSeldom = beats % SELDOM === 0;
    await this.#keep();
    // Nobody waits for it: it may take longer than the lease.
    if (isSeldom && beats > 0) this.taker?.readModels().catch(this.options.onFault);
    // While the database was away nobody could say that they live. Everybody gets time to.
    this.#soundSince ??= Date.now();
    if (Date.now() - this.#soundSince > lease) await this.store.bury();
    if (isSeldom) await this.store.clear();
    this.#listed = await listWorkers(db, engineVersion);
    const { waiting, running } = await this.store.counts();
    metrics.jobs.set({ state: 'waiting' }, waiting);
    metrics.jobs.set({ state: 'running' }, running);
    metrics.workers.set(this.#listed.filter(({ takes }) => takes).length);
    this.taker?.look();
  }

  /** Gives up what is not this worker's any more: cancelled, or thought dead and given to another one. */
  async #keep(): Promise<void> {
    if (!this.taker) return;
    const known = new Set(this.taker.attempts);
    await this.#announce();
    const held = await this.store.held(this.id);
    await this.store.pardon(this.taker.giveUp(({ attempt }) => known.has(attempt) && !held.has(attempt)));
    await this.#handBackIdle(held);
  }

  /** What was taken without this worker hearing of it, or has ended without the database hearing of it, would wait for ever. */
  async #handBackIdle(held: ReadonlyMap<string, Claim>): Promise<void> {
    if (!this.taker || this.taker.isTaking) return;
    const running = new Set(this.taker.attempts);
    const idle = [...held].filter(([attempt]) => !running.has(attempt));
    const before = this.#idle;
    this.#idle = new Set(idle.map(([attempt]) => attempt));
    // One that has just ended is seen once.
    for (const [attempt, claim] of idle) if (before.has(attempt)) await this.store.handBack(claim);
  }

  async #announce(): Promise<void> {
    const { taker, id } = this;
    if (!taker) return;
    const { db, name, kind, engineVersion, lease, devices } = this.options;
    const { models, running } = taker;
    await announce(db, { id, name, kind, engineVersion, lease, devices, models, running });
  }
}
