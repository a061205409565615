import { randomUUID } from 'node:crypto';
import { EngineError, type AnalyzeRequest, type Answer } from '../../lib/engine/index.ts';
import type { WorkerSummary } from '../../lib/wire.ts';
import type { AnalyzeOptions, Models } from '../context.ts';
import { isUnavailable } from '../database-errors.ts';
import { Refusal } from '../refusal.ts';
import { digest } from '../run-key.ts';
import type { Channel } from './channel.ts';
import { cancelledError, jobOf } from './job.ts';
import { Joining } from './joining.ts';
import type { JobStore, NewJob } from './store.ts';
import { revive } from './wire-error.ts';

/** Milliseconds for which it counts what a model of that name is: a folder may be imported any time. */
const MODELS_LIFE = 2000;
/** Milliseconds between two looks at a job of which nothing is heard, where a message was lost. */
const LOOK = 3000;
/** Times that a job is asked for anew after it was cancelled by somebody else who had asked for the same. */
const MOST_TRIES = 5;
/** Milliseconds for which a database that does not answer may come back. */
const PATIENCE = 30_000;

export interface AskerOptions {
  store: JobStore;
  channel: Channel;
  /** those of this process */
  models: Pick<Models, 'list' | 'dictionaries'>;
  /** Those that live; `anew`: also one that has just come, or has a model that has. */
  workers(anew: boolean): Promise<WorkerSummary[]>;
  engineVersion: string;
  /** in which answers are asked for */
  dtype: string;
  /** milliseconds for which nobody may be there who could compute what waits */
  grace: number;
  onFault: (error: unknown) => void;
}

/** Puts analyses into the queue and waits for what comes of them. */
export class Asker {
  readonly #joining = new Joining();
  readonly #waits = new Map<string, Set<Wait>>();
  /** until it is withdrawn, where it comes to nothing */
  readonly #asking = new Set<Promise<Answer>>();
  /** what nobody waits for and the database could not be told so: else workers would compute it for nobody */
  readonly #unwanted = new Map<string, NewJob>();
  #withdrawing: NodeJS.Timeout | null = null;
  readonly #deaf: () => void;
  #listed: { at: number; models: ReturnType<Models['list']> } | null = null;

  constructor(private readonly options: AskerOptions) {
    this.#deaf = options.channel.listen((message) => {
      if (message.type === 'reconnected') {
        for (const waits of this.#waits.values()) for (const wait of waits) wait.look();
        void this.#withdrawAll();
      }
      if (message.type === 'ended') for (const wait of this.#waits.get(message.key) ?? []) wait.look();
      if (message.type === 'progress') for (const wait of this.#waits.get(message.key) ?? []) wait.tell(message);
    });
  }

  /** Analyses that somebody here waits for. */
  get asked(): number {
    let total = 0;
    for (const waits of this.#waits.values()) total += waits.size;
    return total;
  }

  async analyze(request: AnalyzeRequest, options: AnalyzeOptions = {}): Promise<Answer> {
    if (options.signal?.aborted) throw cancelledError();
    const modelHash = await this.#hashOf(request.model);
    const dictionaries = await this.#dictionariesOf(request, modelHash);
    const exact = dictionaries.length === 0 ? request : { ...request, dictionaries };
    const { engineVersion, dtype } = this.options;
    const known = digest({ request: { ...exact, model: modelHash }, engine: engineVersion, dtype });
    const key = options.fresh ? `${known}.${randomUUID()}` : known;
    const job: NewJob = { ...jobOf(exact, options), modelHash, dtype, dictionaries, key };
    const compute = (shared: AnalyzeOptions) => this.#track(this.#compute(job, shared, options.fresh ?? false));
    const answer = await this.#joining.share(job.key, compute, options);
    return { ...answer, model: { ...answer.model, name: request.model } };
  }

  /** Whoever waits is told that it comes to nothing, and what they asked is withdrawn. */
  async close(): Promise<void> {
    const ending = new EngineError('cancelled', 'analysis', 'a server that runs', 'one that stops');
    for (const waits of this.#waits.values()) for (const wait of waits) wait.give(ending);
    await Promise.allSettled(this.#asking);
    if (this.#withdrawing) clearTimeout(this.#withdrawing);
    this.#deaf();
  }

  #track(answer: Promise<Answer>): Promise<Answer> {
    this.#asking.add(answer);
    const forget = () => this.#asking.delete(answer);
    answer.then(forget, forget);
    return answer;
  }

  async #compute(job: NewJob, { signal, onProgress }: AnalyzeOptions, fresh: boolean): Promise<Answer> {
    const { store } = this.options;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const stored = fresh ? null : await store.result(job.key);
      if (stored) return stored;
      await this.#requireWorker(job);
      try {
        const answer = await this.#ask(job, signal, onProgress);
        if (answer !== null) return answer;
      } finally {
        // Where that fails it is forgotten with the old ones.
        if (fresh) await this.#unlessAway(store.drop(job.key));
      }
    }
    throw new Refusal('conflict', 'analysis', 'a job that nobody else cancels', `one that was cancelled ${MOST_TRIES} times`);
  }

  /** Null where it went without an answer: who asked for the same has stopped it. */
  async #ask(job: NewJob, signal: AbortSignal | undefined, onProgress: AnalyzeOptions['onProgress']): Promise<Answer | null> {
    const { store } = this.options;
    // Listening comes first: it may be answered before this knows that it was asked.
    const wait = new Wait(onProgress, (running) => this.#outcome(job, running));
    const waits = this.#waits.get(job.key) ?? new Set();
    this.#waits.set(job.key, waits.add(wait));
    let jobId: string | null = null;
    const stop = () => wait.give(cancelledError());
    try {
      jobId = await store.submit(job);
      signal?.addEventListener('abort', stop, { once: true });
      if (signal?.aborted) stop();
      wait.start();
      return await wait.outcome;
    } catch (error) {
      // Of somebody else's job who waits for the same this is none of the business.
      if (jobId !== null) await this.#withdraw(jobId, job);
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
      wait.end();
      waits.delete(wait);
      if (waits.size === 0) this.#waits.delete(job.key);
    }
  }

  async #withdraw(jobId: string, job: NewJob): Promise<void> {
    this.#unwanted.set(jobId, job);
    try {
      await this.options.store.cancel(jobId, job);
      this.#unwanted.delete(jobId);
    } catch (error) {
      if (isUnavailable(error)) return this.#withdrawLater();
      this.#unwanted.delete(jobId);
      this.options.onFault(error);
    }
  }

  #withdrawLater(): void {
    this.#withdrawing ??= setTimeout(() => void this.#withdrawAll(), LOOK).unref();
  }

  async #withdrawAll(): Promise<void> {
    if (this.#withdrawing) clearTimeout(this.#withdrawing);
    this.#withdrawing = null;
    await Promise.all([...this.#unwanted].map(([jobId, job]) => this.#withdraw(jobId, job)));
  }

  async #unlessAway(work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => {
      if (!isUnavailable(error)) this.options.onFault(error);
    });
  }

  /** What came of a job: its answer, null where it is gone, undefined where it is still to come. Throws what it failed with. */
  async #outcome(job: NewJob, wait: Wait): Promise<Answer | null | undefined> {
    const { store, grace } = this.options;
    const stored = await store.result(job.key);
    if (stored) return stored;
    const standing = await store.standing(job);
    // Both came in one transaction, perhaps between these two looks.
    if (standing.state === 'gone') return (await store.result(job.key)) ?? null;
    if (standing.state === 'failed') throw revive(standing.error);
    if (standing.state === 'running' || (await this.#mayTake(job))) wait.lonelySince = null;
    else wait.lonelySince ??= Date.now();
    if (wait.lonelySince !== null && Date.now() - wait.lonelySince > grace) throw await this.#noWorker(job);
    return undefined;
  }

  async #requireWorker(job: NewJob): Promise<void> {
    if (!(await this.#mayTake(job))) throw await this.#noWorker(job);
  }

  async #mayTake({ modelHash, dtype, dictionaries }: NewJob): Promise<boolean> {
    const hasAll = (model: WorkerSummary['models'][number]) =>
      model.hash === modelHash && dictionaries.every((needed) => model.dictionaries.some(({ hash }) => hash === needed));
    const canTake = ({ takes, models, devices }: WorkerSummary) => takes && devices[0]?.dtype === dtype && models.some(hasAll);
    return (await this.options.workers(false)).some(canTake) || (await this.options.workers(true)).some(canTake);
  }

  async #noWorker({ request, modelHash, dtype, dictionaries }: NewJob): Promise<Refusal> {
    const others = (await this.options.workers(false)).length;
    const needed =
      dictionaries.length === 0 ? '' : ` and its dictionaries ${dictionaries.map((hash) => `${hash.slice(0, 12)}…`).join(', ')}`;
    const expected = `one that runs, has the model ${request.model} (sha256 ${modelHash.slice(0, 12)}…)${needed} and computes in ${dtype} with engine ${this.options.engineVersion}`;
    return new Refusal('unavailable', 'worker', expected, others === 0 ? 'none' : `${others} without`);
  }

  /** Their hashes: another machine may call them something else. */
  async #dictionariesOf({ model, dictionaries = [] }: AnalyzeRequest, modelHash: string): Promise<string[]> {
    if (dictionaries.length === 0) return [];
    const own = (await this.#listed?.models)?.some(({ name }) => name === model) ? await this.options.models.dictionaries(model) : [];
    const there = (await this.options.workers(false)).filter(({ takes }) => takes).flatMap(({ models }) => models);
    const known = [...own, ...there.filter(({ hash }) => hash === modelHash).flatMap((held) => held.dictionaries)];
    return dictionaries.map((wanted) => {
      const found = known.find(({ name, hash }) => name === wanted || hash === wanted);
      if (found) return found.hash;
      const names = [...new Set(known.map(({ name }) => name))].join(', ') || `a dictionary of ${model}`;
      throw new EngineError('bad-request', 'dictionary', names, JSON.stringify(wanted));
    });
  }

  /** As it is here; else as workers have it. */
  async #hashOf(name: string): Promise<string> {
    if (!this.#listed || Date.now() - this.#listed.at > MODELS_LIFE) this.#listed = { at: Date.now(), models: this.options.models.list() };
    const own = await this.#listed.models.catch((error: unknown) => {
      this.#listed = null;
      throw error;
    });
    const here = own.find((model) => model.name === name);
    if (here) return here.hash;
    const there = (await this.options.workers(true)).filter(({ takes }) => takes).flatMap(({ models }) => models);
    const hashes = new Set(there.filter((model) => model.name === name).map(({ hash }) => hash));
    const [hash] = hashes;
    const names = [...new Set([...own, ...there].map((model) => model.name))];
    if (hash === undefined) throw new EngineError('unknown-model', 'model', names.join(', ') || 'an imported model', JSON.stringify(name));
    if (hashes.size > 1)
      throw new EngineError('unknown-model', 'model', `${name} to be the same on every worker`, `${hashes.size} models of that name`);
    return hash;
  }
}

type Outcome = Answer | null;

/** One asker's wait for one job: told at once by messages, else by looking now and then. */
class Wait {
  readonly outcome: Promise<Outcome>;
  /** since when nobody is there who could take it */
  lonelySince: number | null = null;
  #resolve!: (outcome: Outcome) => void;
  #reject!: (error: unknown) => void;
  #timer: NodeJS.Timeout | null = null;
  #looking = false;
  #lookAgain = false;
  #ended = false;
  #failingSince: number | null = null;

  constructor(
    private readonly onProgress: AnalyzeOptions['onProgress'],
    private readonly outcomeNow: (wait: Wait) => Promise<Outcome | undefined>,
  ) {
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Where submitting fails nobody has begun to wait.
    this.outcome.catch(() => {});
  }

  start(): void {
    this.#timer ??= setInterval(() => this.look(), LOOK);
    if (this.#lookAgain) this.look();
  }

  tell({ done, total, what }: { done: number; total: number; what: string }): void {
    if (!this.#ended) this.onProgress?.({ done, total, what });
  }

  give(error: unknown): void {
    this.#reject(error);
  }

  look(): void {
    if (this.#ended) return;
    // Not submitted yet, or looking already: what was heard meanwhile is looked at afterwards.
    if (this.#looking || this.#timer === null) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = true;
    this.#lookAgain = false;
    this.#once().finally(() => {
      this.#looking = false;
      if (this.#lookAgain) this.look();
    });
  }

  end(): void {
    this.#ended = true;
    if (this.#timer) clearInterval(this.#timer);
  }

  async #once(): Promise<void> {
    try {
      const outcome = await this.outcomeNow(this);
      this.#failingSince = null;
      if (outcome !== undefined) this.#resolve(outcome);
    } catch (error) {
      // The job stays where it is while the database is away.
      const isAway = isUnavailable(error);
      if (isAway) this.#failingSince ??= Date.now();
      if (!isAway || Date.now() - (this.#failingSince ?? 0) > PATIENCE) this.#reject(error);
    }
  }
}
