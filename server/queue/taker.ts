import type { Database } from '../../db/client.ts';
import { isEngineError, type Answer } from '../../lib/engine/index.ts';
import type { WorkerSummary } from '../../lib/wire.ts';
import type { Engine, Models } from '../context.ts';
import { isUnavailable } from '../database-errors.ts';
import { tell, type Channel, type Message } from './channel.ts';
import type { Device } from './device.ts';
import { modelsHere } from './models-here.ts';
import { Places } from './places.ts';
import { nameOf, type JobStore, type Taken } from './store.ts';
import { wireError } from './wire-error.ts';

/** Milliseconds between two messages about one job's progress. */
const PROGRESS_PAUSE = 100;
/** Milliseconds for which what came of a job is told again while the database is away, and between two tries. */
const TELLING = 120_000;
const TELLING_PAUSE = 500;

export interface TakerOptions {
  id: string;
  db: Database;
  store: JobStore;
  channel: Channel;
  /** computes in this process */
  engine: Pick<Engine, 'analyze'>;
  models: Pick<Models, 'list' | 'dictionaries'>;
  devices: readonly Device[];
  onFault: (error: unknown) => void;
}

interface Run {
  jobId: string;
  stop: AbortController;
  /** whether what it is given up for is that this process ends */
  handsBack: boolean;
  ended: Promise<void>;
}

/** Takes jobs for the models that are here, as many at a time as there are places, and computes them. */
export class Taker {
  readonly #runs = new Map<string, Run>();
  readonly #places = new Places();
  readonly #deaf: () => void;
  #models: WorkerSummary['models'] = [];
  #reading: Promise<void> | null = null;
  #readingNext: Promise<void> | null = null;
  #looking: Promise<void> | null = null;
  #lookAgain = false;
  #stopped = false;

  constructor(private readonly options: TakerOptions) {
    this.#deaf = options.channel.listen((message) => this.#hear(message));
  }

  get running(): number {
    return this.#runs.size;
  }

  get models(): WorkerSummary['models'] {
    return this.#models;
  }

  /** Reads anew which models are here, which may take long where a large one has come; never twice at a time. */
  readModels(): Promise<void> {
    // What is being read now may have been looked at before the newest folder came.
    if (this.#reading) return (this.#readingNext ??= this.#reading.catch(() => {}).then(() => this.readModels()));
    this.#readingNext = null;
    const reading = modelsHere(this.options.models)
      .then((models) => {
        this.#models = models;
      })
      .finally(() => {
        this.#reading = null;
      });
    return (this.#reading = reading);
  }

  /** Takes what it can. Called when something may have come, and now and then in case nobody said so. */
  look(): void {
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = this.#takeAll()
      .catch((error: unknown) => {
        // It looks again with the next beat.
        if (!isUnavailable(error)) this.options.onFault(error);
      })
      .finally(() => {
        this.#looking = null;
        if (this.#lookAgain) {
          this.#lookAgain = false;
          this.look();
        }
      });
  }

  /** Whether a job may be this worker's of which it does not know yet. */
  get isTaking(): boolean {
    return this.#looking !== null;
  }

  /** The attempts that run now: whoever compares them with the table must have read them first. */
  get attempts(): string[] {
    return [...this.#runs.keys()];
  }

  /** Gives up those that `isLost` names and that were not given up before, whose jobs it returns. */
  giveUp(isLost: (run: { attempt: string; jobId: string }) => boolean): string[] {
    const lost = [...this.#runs].filter(([attempt, { jobId, stop }]) => !stop.signal.aborted && isLost({ attempt, jobId }));
    for (const [, { stop }] of lost) stop.abort();
    return lost.map(([, { jobId }]) => jobId);
  }

  /** Takes nothing more; what is not done after `patience` milliseconds goes back to the queue. */
  async close(patience: number): Promise<void> {
    this.#stopped = true;
    this.#deaf();
    await this.#looking;
    const ended = Promise.all([...this.#runs.values()].map((run) => run.ended));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((done) => {
      timer = setTimeout(done, patience);
    });
    await Promise.race([ended, late]);
    clearTimeout(timer);
    for (const run of this.#runs.values()) {
      run.handsBack = true;
      run.stop.abort();
    }
    await ended;
  }

  #hear(message: Message | { type: 'reconnected' }): void {
    if (message.type === 'waiting' || message.type === 'reconnected') this.look();
    if (message.type === 'stop') this.giveUp(({ jobId }) => jobId === message.jobId);
  }

  async #takeAll(): Promise<void> {
    const { id, store, devices } = this.options;
    while (!this.#stopped && this.#places.hasRoom(false)) {
      // Once the device has been tried it is what that found.
      const dtype = devices[0]?.dtype;
      if (dtype === undefined) throw new Error('worker: expected a device that it computes with, got none');
      const taken = await store.take(id, { models: this.#models, dtype }, this.#places.hasRoom(true));
      if (!taken) return;
      this.#start(taken);
    }
  }

  #start(taken: Taken): void {
    const run: Run = { jobId: taken.jobId, stop: new AbortController(), handsBack: false, ended: Promise.resolve() };
    // The same job may come back while an earlier attempt at it has not ended yet.
    const attempt = nameOf(taken);
    this.#runs.set(attempt, run);
    run.ended = this.#run(taken, run)
      .catch((error: unknown) => {
        // Where the database is gone, the lease ends there too, or what is held and not computed is handed back with a beat.
        if (!isUnavailable(error)) this.options.onFault(error);
      })
      .finally(() => {
        this.#runs.delete(attempt);
        this.look();
      });
  }

  async #run(taken: Taken, run: Run): Promise<void> {
    const { id, store } = this.options;
    const leave = await this.#places.take({ person: '', urgency: 'interactive', long: taken.long });
    let answer: Answer;
    try {
      answer = await this.#compute(taken, run.stop.signal);
    } catch (error) {
      if (run.handsBack) return await this.#tell(run, () => store.handBack(taken));
      if (run.stop.signal.aborted) return;
      // A model that went, a worker thread that died: somebody else may fare better.
      const isOurs = !isEngineError(error) || error.code === 'runtime' || error.code === 'unknown-model';
      return await this.#tell(run, () => (isOurs ? store.stumble(taken, wireError(error)) : store.refuse(taken, wireError(error))));
    } finally {
      leave();
    }
    try {
      await this.#tell(run, () => store.finish(taken, id, answer));
    } catch (error) {
      if (isUnavailable(error)) throw error;
      await this.#tell(run, () => store.stumble(taken, wireError(error)));
    }
  }

  /** Until the database has heard it: while this worker lives nobody else takes what it holds. All that is told so may be told twice. */
  async #tell(run: Run, said: () => Promise<void>): Promise<void> {
    const end = Date.now() + TELLING;
    for (;;) {
      try {
        return await said();
      } catch (error) {
        if (!isUnavailable(error) || run.handsBack || Date.now() > end) throw error;
      }
      await new Promise((done) => setTimeout(done, TELLING_PAUSE));
    }
  }

  async #compute({ key, request, modelHash }: Taken, signal: AbortSignal): Promise<Answer> {
    // Of two folders with the same files either serves.
    const name = this.#models.find(({ hash }) => hash === modelHash)?.name ?? request.model;
    let last = 0;
    const onProgress = (progress: { done: number; total: number; what: string }) => {
      const now = Date.now();
      if (now - last < PROGRESS_PAUSE && progress.done < progress.total) return;
      last = now;
      tell(this.options.db, { type: 'progress', key, ...progress }).catch(() => {});
    };
    const answer = await this.options.engine.analyze({ ...request, model: name }, { signal, onProgress, fresh: true });
    if (answer.model.hash === modelHash) return { ...answer, model: { ...answer.model, name: request.model } };
    throw new Error(`model ${name}: expected the one with sha256 ${modelHash}, got ${answer.model.hash}: its folder has changed`);
  }
}
