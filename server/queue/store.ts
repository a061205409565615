import { and, eq, inArray, isNotNull, notInArray, sql, type SQL } from 'drizzle-orm';
import { PgBoss, fromDrizzle, type Db, type DrizzleTransactionLike } from 'pg-boss';
import type { Database } from '../../db/client.ts';
import { jobClaims, jobResults, workers } from '../../db/schema.ts';
import { EngineError, type AnalyzeRequest, type Answer } from '../../lib/engine/index.ts';
import { JOB_SCHEMA, rowsOf } from '../backup/tables.ts';
import type { WorkerSummary } from '../../lib/wire.ts';
import { isUnavailable } from '../database-errors.ts';
import type { WireError } from '../engine/messages.ts';
import { tell } from './channel.ts';
import { dbNow } from './clock.ts';
import type { Job } from './job.ts';
import { wireError } from './wire-error.ts';

/**
 * Jobs in pg-boss, which keeps what waits, gives each to one worker, and tells attempts apart; in our own tables who holds
 * what, and the answers. What belongs together changes in one transaction, and is told when it has.
 */

/** Raised when what a job holds changes: servers and workers of different kinds then leave each other's jobs alone. */
const FORMAT = 2;
/** Which part of a queue's name, between its slashes, says whether its jobs are long: format, version, model, dtype, length. */
const LENGTH = 4;
/** Batches come after everything interactive: they have priorities from here downwards. */
const BATCH = 1_000_000_000;
/** Any number, the same in every process: whoever holds it decides whose turn comes when. */
const TURN_LOCK = 7_284_120;
/** Workers that may die in the middle of one job. One more would be no wiser. */
const MOST_CRASHES = 3;
/** Seconds. A job that nobody took for a day is asked by nobody any more; no analysis takes longer than 23 hours. */
const POLICY = { policy: 'exclusive', retryLimit: 1000, expireInSeconds: 82_800, retentionSeconds: 86_400, deleteAfterSeconds: 120 };
/** Connections of pg-boss' own, and milliseconds to wait for one. */
const BOSS_POOL = 2;
const CONNECT = 5000;
/** Seconds between two times that ended jobs are cleared away: what was asked stays no longer than it must. */
const TIDYING = 60;
/** Milliseconds that an answer stays to be asked for again, and bytes that all of them may take. */
const RESULT_LIFE = 3_600_000;
const RESULT_BYTES = 1_000_000_000;

/** Of jobs that somebody may wait for: pg-boss' states before the last ones. */
const OPEN_STATES: ReadonlySet<string> = new Set(['created', 'retry', 'active']);

export interface NewJob extends Job {
  /** sha256 of what is asked of which model and engine */
  key: string;
  modelHash: string;
  /** of the numbers to compute with: those of another one are another answer */
  dtype: string;
  /** hashes of the sparse dictionaries that it needs, too */
  dictionaries: string[];
}

export interface Claim {
  jobId: string;
  queue: string;
  key: string;
  attempt: number;
}

/** What a worker computes with. */
export interface Means {
  models: WorkerSummary['models'];
  dtype: string;
}

export interface Taken extends Claim {
  request: AnalyzeRequest;
  modelHash: string;
  long: boolean;
}

interface JobData {
  key: string;
  modelHash: string;
  /** JSON in a text: as it was asked, also where it holds what jsonb refuses */
  request: string;
}

/** How a job stands that has no answer yet. */
export type Standing = { state: 'waiting' | 'running' | 'gone' } | { state: 'failed'; error: WireError };

export interface StoreOptions {
  db: Database;
  /** of the same database */
  url: string;
  engineVersion: string;
  onFault: (error: unknown) => void;
}

export class JobStore {
  /** what the names of all queues of this version begin with: others take none of them */
  readonly #queues: string;
  readonly #ready = new Set<string>();

  private constructor(
    private readonly db: Database,
    private readonly boss: PgBoss,
    engineVersion: string,
  ) {
    this.#queues = `analyze.${FORMAT}/${engineVersion}`;
  }

  static async open({ db, url, engineVersion, onFault }: StoreOptions): Promise<JobStore> {
    const boss = new PgBoss({
      // What it does by itself, outside our transactions.
      connectionString: url,
      max: BOSS_POOL,
      connectionTimeoutMillis: CONNECT,
      schema: JOB_SCHEMA,
      schedule: false,
      registerInstance: false,
      monitorVacuum: false,
      reindex: false,
      openTelemetry: { enabled: false },
      superviseIntervalSeconds: TIDYING,
      maintenanceIntervalSeconds: TIDYING,
    });
    boss.on('error', (error) => {
      // It tries again by itself.
      if (!isUnavailable(error)) onFault(error);
    });
    await boss.start();
    return new JobStore(db, boss, engineVersion);
  }

  async close(): Promise<void> {
    await this.boss.stop({ graceful: false });
  }

  async result(key: string): Promise<Answer | null> {
    const [row] = await this.db.select({ answer: jobResults.answer }).from(jobResults).where(eq(jobResults.key, key));
    return row ? (row.answer as Answer) : null;
  }

  /** An answer that nobody can ask for again. */
  async drop(key: string): Promise<void> {
    await this.#quickly((tx) => tx.delete(jobResults).where(eq(jobResults.key, key)));
  }

  /** The new job's id, or null where the same is waiting or running already. */
  async submit(job: NewJob): Promise<string | null> {
    const queue = this.#queueOf(job);
    await this.#prepare(queue);
    const data: JobData = { key: job.key, modelHash: job.modelHash, request: JSON.stringify(job.request) };
    return this.#quickly(async (tx) => {
      await tx.execute(sql`select pg_advisory_xact_lock(${TURN_LOCK})`);
      const priority = topOf(job) - (await this.#nextTurn(tx, job));
      const id = await this.boss.send(queue, data, { priority, singletonKey: job.key, group: { id: job.person }, db: within(tx) });
      if (id !== null) await tell(tx, { type: 'waiting' });
      return id;
    });
  }

  async standing(job: NewJob): Promise<Standing> {
    const jobs = await this.boss.findJobs<JobData>(this.#queueOf(job), { key: job.key });
    const last = jobs.sort((a, b) => Number(b.createdOn) - Number(a.createdOn))[0];
    if (!last || last.state === 'cancelled') return { state: 'gone' };
    if (last.state === 'active') return { state: 'running' };
    if (last.state === 'created' || last.state === 'retry') return { state: 'waiting' };
    const { error } = (last.output ?? {}) as { error?: string };
    return error === undefined ? { state: 'gone' } : { state: 'failed', error: JSON.parse(error) as WireError };
  }

  /** Whoever computes it is told to stop; others who wait for the same have to ask anew. */
  async cancel(jobId: string, job: NewJob): Promise<void> {
    await this.#quickly(async (tx) => {
      await this.boss.cancel(this.#queueOf(job), jobId, { db: within(tx) });
      await tx.delete(jobClaims).where(eq(jobClaims.jobId, jobId));
      await tell(tx, { type: 'stop', jobId });
      await tell(tx, { type: 'ended', key: job.key });
    });
  }

  /** The next job for a worker with these means, in whose name it is from now on; null where there is none. */
  async take(workerId: string, means: Means, withLong: boolean): Promise<Taken | null> {
    const queues = means.models.length === 0 ? [] : await this.#heads(means);
    for (const queue of queues) {
      if (!this.#fits(queue, means.models, withLong)) continue;
      await this.#prepare(queue);
      const taken = await this.#quickly(async (tx) => {
        const [job] = await this.boss.fetch<JobData>(queue, { db: within(tx) });
        if (!job) return null;
        const { key, modelHash, request } = job.data;
        const claim = { jobId: job.id, queue, key, attempt: job.retryCount, workerId };
        const { attempt } = claim;
        await tx
          .insert(jobClaims)
          .values({ ...claim, crashes: 0 })
          .onConflictDoUpdate({ target: jobClaims.jobId, set: { workerId, attempt } });
        return { ...claim, modelHash, request: JSON.parse(request) as AnalyzeRequest, long: queue.split('/')[LENGTH] === 'long' };
      });
      // Another worker may have been faster.
      if (taken) return taken;
    }
    return null;
  }

  /** Stores the answer, unless nobody waits for it any more. Whoever else computes the same by now is told to stop. */
  async finish(claim: Claim, workerId: string, answer: Answer): Promise<void> {
    const bytes = Buffer.byteLength(JSON.stringify(answer));
    await this.#quickly(async (tx) => {
      const { jobId, queue, key } = claim;
      const [job] = await rowsOf<{ state: string }>(
        tx,
        sql`select state::text from ${sql.identifier(JOB_SCHEMA)}.job where name = ${queue} and id = ${jobId}::uuid for update`,
      );
      const isOpen = job !== undefined && OPEN_STATES.has(job.state);
      if (isOpen) await tx.insert(jobResults).values({ key, answer, bytes, workerId, createdAt: dbNow }).onConflictDoNothing();
      if ((await this.#end(tx, claim, {})) || !isOpen) return;
      await this.boss.cancel(queue, jobId, { db: within(tx) });
      await tx.delete(jobClaims).where(eq(jobClaims.jobId, jobId));
      await tell(tx, { type: 'stop', jobId });
    });
  }

  /** It cannot be computed, wherever it is tried. */
  async refuse(claim: Claim, error: WireError): Promise<void> {
    await this.#quickly(async (tx) => {
      await this.#end(tx, claim, { error: JSON.stringify(error) });
    });
  }

  /** What went wrong may go right elsewhere; but not for ever. */
  async stumble(claim: Claim, error: WireError): Promise<void> {
    await this.#quickly((tx) => this.#stumble(tx, claim, () => error));
  }

  /** It waits again, as if nobody had taken it. */
  async handBack({ jobId, queue, attempt }: Claim): Promise<void> {
    await this.#quickly(async (tx) => {
      const db = within(tx);
      const cancelled = await this.boss.cancel(queue, { id: jobId, retryCount: attempt }, { db });
      if (!hasChanged(cancelled)) {
        await tx.delete(jobClaims).where(and(eq(jobClaims.jobId, jobId), eq(jobClaims.attempt, attempt), isNotNull(jobClaims.workerId)));
        return;
      }
      await this.boss.resume(queue, jobId, { db });
      await tx.update(jobClaims).set({ workerId: null }).where(eq(jobClaims.jobId, jobId));
      await tell(tx, { type: 'waiting' });
    });
  }

  /** Whoever took these for lost with their worker was wrong: it lives, and did not die of them. */
  async pardon(jobIds: readonly string[]): Promise<void> {
    if (jobIds.length === 0) return;
    const fewer = sql`greatest(0, ${jobClaims.crashes} - 1)`;
    await this.db
      .update(jobClaims)
      .set({ crashes: fewer })
      .where(inArray(jobClaims.jobId, [...jobIds]));
  }

  /** The attempts that are still this worker's. */
  async held(workerId: string): Promise<Map<string, Claim>> {
    const rows = await this.db.select().from(jobClaims).where(eq(jobClaims.workerId, workerId));
    return new Map(rows.map((claim) => [nameOf(claim), claim]));
  }

  /** Strikes off the workers that have been silent for too long. What they held goes to others. */
  async bury(): Promise<number> {
    return this.#quickly(async (tx) => {
      const dead = await tx
        .delete(workers)
        .where(sql`${workers.seenAt} + ${workers.lease} < ${dbNow}`)
        .returning({ id: workers.id });
      const alive = tx.select({ id: workers.id }).from(workers);
      const orphans = await tx
        .select()
        .from(jobClaims)
        .where(and(isNotNull(jobClaims.workerId), notInArray(jobClaims.workerId, alive)))
        .for('update', { skipLocked: true });
      for (const claim of orphans) await this.#stumble(tx, claim, diedUnder);
      return dead.length;
    });
  }

  /** Jobs of this version, wherever they were asked. */
  async counts(): Promise<{ waiting: number; running: number }> {
    const [row] = await rowsOf<{ waiting: string; running: string }>(
      this.db,
      sql`select count(*) filter (where state < 'active') as waiting, count(*) filter (where state = 'active') as running
        from ${sql.identifier(JOB_SCHEMA)}.job where name like ${`${this.#queues}/%`} and state in ('created', 'retry', 'active')`,
    );
    return { waiting: Number(row?.waiting ?? 0), running: Number(row?.running ?? 0) };
  }

  /** Forgets answers that are old, or too many, and who held what has ended. */
  async clear(): Promise<void> {
    await this.db.delete(jobResults).where(sql`${jobResults.createdAt} < ${dbNow} - ${RESULT_LIFE}`);
    const sizes = this.db
      .select({
        key: jobResults.key,
        total: sql<number>`sum(${jobResults.bytes}) over (order by ${jobResults.createdAt} desc, ${jobResults.key})`.as('total'),
      })
      .from(jobResults)
      .as('sizes');
    const over = this.db
      .select({ key: sizes.key })
      .from(sizes)
      .where(sql`${sizes.total} > ${RESULT_BYTES}`);
    await this.db.delete(jobResults).where(inArray(jobResults.key, over));
    const open = sql`select id::text from ${sql.identifier(JOB_SCHEMA)}.job where state <= 'active'`;
    await this.db.delete(jobClaims).where(sql`${jobClaims.jobId} not in (${open})`);
  }

  /**
   * All or nothing, and not flushed to the disk at once: what a database loses when it loses its last moment is asked for,
   * taken or computed once more. What people keep is written elsewhere.
   */
  #quickly<T>(work: (tx: Database) => Promise<T>): Promise<T> {
    return this.db.transaction(async (tx) => {
      await tx.execute(sql`select set_config('synchronous_commit', 'off', true)`);
      return work(tx);
    });
  }

  /** The queues in which something waits, the one with the job whose turn is next first. */
  async #heads({ models, dtype }: Means): Promise<string[]> {
    const isOfOurs = models.map(({ hash }) => sql`name like ${`${this.#queues}/${hash}/${dtype}/%`}`);
    const rows = await rowsOf<{ name: string }>(
      this.db,
      sql`select name from (
          select distinct on (name) name, priority, created_on from ${sql.identifier(JOB_SCHEMA)}.job
          where (${sql.join(isOfOurs, sql` or `)}) and state < 'active' and not blocked and start_after <= now()
          order by name, priority desc, created_on
        ) as heads order by priority desc, created_on`,
    );
    return rows.map(({ name }) => name);
  }

  /** What a worker must have for its jobs is in its name. */
  #queueOf({ modelHash, dtype, long, dictionaries }: Pick<NewJob, 'modelHash' | 'dtype' | 'long' | 'dictionaries'>): string {
    const needed = dictionaries.length === 0 ? [] : [dictionaries.map(shortened).sort().join('.')];
    return [this.#queues, modelHash, dtype, long ? 'long' : 'short', ...needed].join('/');
  }

  #fits(queue: string, models: WorkerSummary['models'], withLong: boolean): boolean {
    const parts = queue.split('/');
    if (parts[LENGTH] === 'long' && !withLong) return false;
    const there = models.filter(({ hash }) => hash === parts[LENGTH - 2]).flatMap(({ dictionaries }) => dictionaries);
    const known = new Set(there.map(({ hash }) => shortened(hash)));
    return (parts[LENGTH + 1]?.split('.') ?? []).every((needed) => known.has(needed));
  }

  /** As Places has it, over the jobs of all machines. Whoever asks holds the lock. */
  async #nextTurn(tx: Database, job: Pick<Job, 'person' | 'urgency'>): Promise<number> {
    const top = topOf(job);
    const [row] = await rowsOf<{ own: number | null; round: number | null }>(
      tx,
      sql`select
          max(${top}::integer - priority) filter (where group_id = ${job.person}) as own,
          coalesce(min(${top}::integer - priority) filter (where state < 'active'), max(${top}::integer - priority)) as round
        from ${sql.identifier(JOB_SCHEMA)}.job
        where name like ${`${this.#queues}/%`} and state in ('created', 'retry', 'active') and priority <= ${top} and priority > ${top - BATCH}`,
    );
    return Math.max(0, row?.round ?? 0, row?.own === null || row?.own === undefined ? 0 : row.own + 1);
  }

  async #prepare(queue: string): Promise<void> {
    if (this.#ready.has(queue)) return;
    await this.boss.createQueue(queue, POLICY);
    this.#ready.add(queue);
  }

  /** Whoever comes too late changes nothing: the attempt is another one by now. */
  async #end(tx: Database, { jobId, queue, key, attempt }: Claim, output: { error?: string }): Promise<boolean> {
    const completed = hasChanged(await this.boss.complete(queue, { id: jobId, retryCount: attempt }, output, { db: within(tx) }));
    if (completed) await tx.delete(jobClaims).where(eq(jobClaims.jobId, jobId));
    await tell(tx, { type: 'ended', key });
    return completed;
  }

  async #stumble(tx: Database, claim: Claim, errorOf: (crashes: number) => WireError): Promise<void> {
    const { jobId, queue, attempt } = claim;
    const [row] = await tx
      .update(jobClaims)
      .set({ crashes: sql`${jobClaims.crashes} + 1`, workerId: null })
      .where(and(eq(jobClaims.jobId, jobId), eq(jobClaims.attempt, attempt), isNotNull(jobClaims.workerId)))
      .returning({ crashes: jobClaims.crashes });
    if (!row) return;
    const error = JSON.stringify(errorOf(row.crashes));
    if (row.crashes >= MOST_CRASHES) {
      await this.#end(tx, claim, { error });
      return;
    }
    const failed = await this.boss.fail(queue, { id: jobId, retryCount: attempt }, { error }, { db: within(tx) });
    if (hasChanged(failed)) return tell(tx, { type: 'waiting' });
    await tx.delete(jobClaims).where(eq(jobClaims.jobId, jobId));
  }
}

/** Of an attempt at a job: there may be several at once, of which one counts. */
export function nameOf({ jobId, attempt }: Pick<Claim, 'jobId' | 'attempt'>): string {
  return `${jobId} ${attempt}`;
}

/** Enough of a hash to tell one from another in a name. */
function shortened(hash: string): string {
  return hash.slice(0, 24);
}

/** Whether a job was still as whoever commanded thought. What pg-boss answers has no type of its own. */
function hasChanged(response: object): boolean {
  const affected: unknown = Reflect.get(response, 'affected');
  if (typeof affected !== 'number') throw new Error(`pg-boss: expected to be told how many jobs changed, got ${JSON.stringify(response)}`);
  return affected > 0;
}

/** pg-boss in a transaction of ours. */
function within(tx: Database): Db {
  return fromDrizzle({ execute: (query) => tx.execute(query as SQL) as ReturnType<DrizzleTransactionLike['execute']> }, sql);
}

function diedUnder(crashes: number): WireError {
  return wireError(new EngineError('runtime', 'analysis', 'a worker that gets to its end', `${crashes} that died in the middle of it`));
}

function topOf({ urgency }: Pick<Job, 'urgency'>): number {
  return urgency === 'batch' ? -BATCH : 0;
}
