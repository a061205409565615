import { eq } from 'drizzle-orm';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPostgres, type OpenDatabase } from '../../db/client.ts';
import { jobClaims, jobResults, workers } from '../../db/schema.ts';
import type { AnalyzeRequest, Answer } from '../../lib/engine/index.ts';
import type { AnalyzeOptions, Engine } from '../context.ts';
import { createEngine } from '../engine/index.ts';
import { randomLens, writeModel } from '../engine/random-model.ts';
import { MIGRATIONS } from '../testing/home.ts';
import { hasPostgres, startPostgres, type Postgres } from '../testing/services.ts';
import { WorkerProcess } from '../testing/worker-process.ts';
import { openSharedQueue } from './shared.ts';

/** Real workers in processes of their own, which are killed in the middle of real analyses. */

const LEASE = 2;
/** Milliseconds in which a job must be in other hands: the lease, a beat, and a machine that does other things, too. */
const TAKEN_OVER = 20_000;
const HEADS = Array.from({ length: 8 }, (_, head) => head);
const TOKENS = Array.from({ length: 128 }, (_, index) => index % 100);
const PATHS = [0, 1].flatMap((layer) =>
  HEADS.flatMap((a) => HEADS.flatMap((b) => HEADS.map((c) => `a${layer}.h${a}->a${layer + 2}.h${b}->a${layer + 4}.h${c}->logits`))),
);

/** Takes seconds; each position is another question. */
function slow(position: number): AnalyzeRequest {
  return { view: 'path-effect', model: 'slow', tokens: TOKENS, paths: [...PATHS, ...PATHS, ...PATHS, ...PATHS], position };
}

describe.skipIf(!hasPostgres())('a worker that is killed', () => {
  let postgres: Postgres;
  let database: OpenDatabase;
  let home: string;
  let url: string;
  let queue: Engine;
  let expected: Answer;
  const running = new Map<string, WorkerProcess>();

  beforeAll(async () => {
    const started = await startPostgres();
    if (!started) throw new Error('PostgreSQL: expected it to be installed');
    postgres = started;
    url = await postgres.createDatabase();
    home = await mkdtemp(join(tmpdir(), 'pathboard-workers-'));
    await mkdir(join(home, 'models'));
    const sizes = { layers: 6, heads: 8, d: 128, dHead: 16, dMlp: 0, vocabulary: 100, context: 128, norm: 'LN', activation: null } as const;
    await rename(await writeModel(randomLens(sizes, 1), join(home, 'models')), join(home, 'models', 'slow'));
    for (const name of ['one', 'two', 'three', 'four']) startWorker(name);
    database = await openPostgres(url, MIGRATIONS, () => {});
    const { models, devices, ...engine } = createEngine({ home, threads: 1 });
    expected = await engine.analyze(slow(127));
    const here = { db: database.db, url, engine, models, devices, takes: false, name: 'server', kind: 'server' } as const;
    queue = await openSharedQueue({ ...here, lease: LEASE * 1000, patience: 0, onFault: () => {} });
    await Promise.all([...running.values()].map(({ ready }) => ready));
  }, 120_000);
  // Ending a cluster and removing its files takes long on a machine that does much else.
  afterAll(async () => {
    await Promise.all([...running.values()].map((worker) => worker.kill()));
    await queue?.close();
    await database?.close();
    await postgres?.stop();
    await rm(home, { recursive: true, force: true });
  }, 120_000);

  function startWorker(name: string): void {
    running.set(name, new WorkerProcess({ name, databaseUrl: url, home, lease: LEASE }));
  }

  /** Asks, and waits until somebody is in the middle of it. */
  async function begin(request: AnalyzeRequest, options: AnalyzeOptions = {}): Promise<{ answer: Promise<Answer>; holder: string }> {
    let heard = () => {};
    const begun = new Promise<void>((done) => (heard = done));
    const answer = queue.analyze(request, { ...options, onProgress: heard });
    answer.catch(() => {});
    await Promise.race([begun, answer]);
    return { answer, holder: await holderOtherThan(null) };
  }

  async function holderOtherThan(name: string | null): Promise<string> {
    const end = Date.now() + TAKEN_OVER;
    for (;;) {
      const rows = await database.db.select({ name: workers.name }).from(jobClaims).innerJoin(workers, eq(workers.id, jobClaims.workerId));
      const [row] = rows;
      if (row && row.name !== name) return row.name;
      if (Date.now() > end) throw new Error(`job: expected another worker than ${name} to hold it, got ${row?.name ?? 'nobody'}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  /** Every worker that was not ended lives, and computes nothing. */
  async function allIdle(): Promise<void> {
    const names = [...running.keys()].sort();
    const end = Date.now() + TAKEN_OVER;
    for (;;) {
      const idle = (await queue.workers()).filter((worker) => worker.running === 0).map(({ name }) => name);
      if (JSON.stringify(idle.sort()) === JSON.stringify(names)) return;
      if (Date.now() > end) throw new Error(`workers: expected ${names.join(', ')} to be idle, got ${idle.join(', ')}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  async function stopped(name: string, signal: NodeJS.Signals): Promise<void> {
    const worker = running.get(name)!;
    running.delete(name);
    await worker.kill(signal);
  }

  test('its job is finished by another one, with the same answer, which is stored once', async () => {
    const { answer, holder } = await begin(slow(127));
    await stopped(holder, 'SIGKILL');
    const next = await holderOtherThan(holder);
    expect(running.has(next)).toBe(true);
    expect((await answer).terms).toEqual(expected.terms);
    const stored = await database.db.select({ by: workers.name }).from(jobResults).leftJoin(workers, eq(workers.id, jobResults.workerId));
    expect(stored).toEqual([{ by: next }]);
    expect(await database.db.select().from(jobClaims)).toEqual([]);
    expect((await queue.workers()).map(({ name }) => name)).not.toContain(holder);
  }, 120_000);

  test('one that only seemed to be dead comes too late, and works on', async () => {
    const { answer, holder } = await begin(slow(126));
    running.get(holder)!.signal('SIGSTOP');
    await holderOtherThan(holder);
    running.get(holder)!.signal('SIGCONT');
    const { terms } = await answer;
    await allIdle();
    const stored = await database.db.select().from(jobResults);
    expect(stored).toHaveLength(2);
    expect(stored.map((row) => (row.answer as Answer).terms)).toContainEqual(terms);
  }, 120_000);

  test('a request to stop reaches one in the middle, which is free at once', async () => {
    const stop = new AbortController();
    const { answer } = await begin(slow(125), { signal: stop.signal });
    stop.abort();
    await expect(answer).rejects.toMatchObject({ code: 'cancelled' });
    // What a worker announces may be from before it took the job.
    await expect.poll(() => database.db.select().from(jobClaims), { timeout: TAKEN_OVER }).toEqual([]);
    await allIdle();
  }, 120_000);

  test('a job under which three have died is given up, and says why', async () => {
    let { answer, holder } = await begin(slow(124));
    await stopped(holder, 'SIGKILL');
    startWorker('five');
    holder = await holderOtherThan(holder);
    await stopped(holder, 'SIGKILL');
    holder = await holderOtherThan(holder);
    await stopped(holder, 'SIGKILL');
    await expect(answer).rejects.toThrow('analysis: expected a worker that gets to its end, got 3 that died in the middle of it');
    expect(await database.db.select().from(jobClaims)).toEqual([]);
    // Whoever is left goes on, and the same can be asked again.
    await running.get('five')!.ready;
    expect((await queue.analyze({ view: 'logits', model: 'attn-2l', prompt: 'When', top: 1 })).terms).toHaveLength(1);
  }, 180_000);

  test('one that is asked to end ends in order', async () => {
    const five = running.get('five')!;
    running.delete('five');
    expect(await five.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(await queue.workers()).toEqual([]);
    await expect(queue.analyze({ view: 'logits', model: 'attn-2l', prompt: 'Then', top: 1 })).rejects.toMatchObject({
      code: 'unavailable',
    });
  }, 120_000);
});
