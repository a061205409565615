import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { openPostgres, type OpenDatabase } from '../../db/client.ts';
import { jobClaims, jobResults, workers } from '../../db/schema.ts';
import type { AnalyzeRequest, Answer } from '../../lib/engine/index.ts';
import type { DictionarySummary } from '../../lib/wire.ts';
import { rowsOf } from '../backup/tables.ts';
import type { AnalyzeOptions, Engine } from '../context.ts';
import { answerTo, fakeModels } from '../testing/fake-engine.ts';
import { MIGRATIONS } from '../testing/home.ts';
import { hasPostgres, startPostgres, type Postgres } from '../testing/services.ts';
import { until } from '../testing/world.ts';
import { cpuDevice } from './device.ts';
import { jobOf } from './job.ts';
import { openSharedQueue, type SharedQueueOptions } from './shared.ts';
import { JobStore } from './store.ts';
import { Bench, short } from './testing.ts';
import { wireError } from './wire-error.ts';

/** Several servers and workers on one Postgres, all in this process. */

const LEASE = 600;

interface Machine {
  name: string;
  queue: Engine;
  bench: Bench;
}

describe.skipIf(!hasPostgres())('several machines', () => {
  let postgres: Postgres;
  let database: OpenDatabase;
  let url: string;
  const faults: unknown[] = [];
  const open = new Set<Engine>();

  beforeAll(async () => {
    const started = await startPostgres();
    if (!started) throw new Error('PostgreSQL: expected it to be installed');
    postgres = started;
    url = await postgres.createDatabase();
    database = await openPostgres(url, MIGRATIONS, () => {});
  });
  afterEach(async () => {
    await Promise.all([...open].map((queue) => queue.close()));
    open.clear();
    for (const table of [jobResults, jobClaims, workers]) await database.db.delete(table);
    await database.db.execute(sql`delete from pgboss.job`);
    expect(faults.splice(0)).toEqual([]);
  });
  // Ending a cluster and removing its files takes long on a machine that does much else.
  afterAll(async () => {
    await database.close();
    await postgres.stop();
  }, 120_000);

  async function machine(name: string, options: Partial<SharedQueueOptions> = {}): Promise<Machine> {
    const bench = new Bench();
    const queue = await openSharedQueue({
      db: database.db,
      url,
      engine: bench.engine(),
      models: fakeModels,
      devices: [cpuDevice(1)],
      takes: true,
      name,
      kind: 'worker',
      lease: LEASE,
      patience: 0,
      onFault: (error) => faults.push(error),
      ...options,
    });
    open.add(queue);
    return { name, queue, bench };
  }
  /** Asks, and computes nothing. */
  const server = () => machine('server', { takes: false, kind: 'server' });
  const close = async ({ queue }: Machine) => {
    open.delete(queue);
    await queue.close();
  };
  const ending = (job: Promise<Answer>) =>
    job.then(
      () => 'answered',
      (error: unknown) => (error as Error).message,
    );
  const ask = ({ queue }: Machine, request: AnalyzeRequest, options: AnalyzeOptions = {}) => ending(queue.analyze(request, options));
  const results = async () => (await database.db.select().from(jobResults)).length;
  const jobs = async () =>
    (await rowsOf<{ state: string }>(database.db, sql`select state::text from pgboss.job order by created_on`)).map(({ state }) => state);

  test('what was asked of one is computed by another, stored once, and not computed again', async () => {
    const [here, there, worker] = [await server(), await server(), await machine('worker')];
    const asked = [ask(here, short('one')), ask(there, short('one'))];
    await until(() => worker.bench.begun.length > 0);
    worker.bench.letAll();
    expect(await Promise.all(asked)).toEqual(['answered', 'answered']);
    expect(await ask(there, short('one'))).toBe('answered');
    expect(worker.bench.begun).toEqual(['one']);
    expect(await results()).toBe(1);
    expect(await ask(there, short('one'), { fresh: true })).toBe('answered');
    expect(worker.bench.begun).toEqual(['one', 'one']);
    // Nobody can ask for that one again.
    expect(await results()).toBe(1);
  });

  test('jobs go to whoever is free', async () => {
    const [here, one, two] = [await server(), await machine('one'), await machine('two')];
    const asked = Array.from({ length: 6 }, (_, index) => ask(here, short(`job ${index}`)));
    await until(() => one.bench.begun.length + two.bench.begun.length === 6);
    expect([one.bench.begun.length, two.bench.begun.length]).toEqual([3, 3]);
    one.bench.letAll();
    two.bench.letAll();
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['answered']));
    expect([...one.bench.begun, ...two.bench.begun].sort()).toEqual(Array.from({ length: 6 }, (_, index) => `job ${index}`));
  });

  test('progress comes from the other machine, and a request to stop reaches it in the middle', async () => {
    const [here, worker] = [await server(), await machine('worker')];
    const stop = new AbortController();
    const heard: string[] = [];
    const asked = ask(here, short('far'), { signal: stop.signal, onProgress: ({ what }) => heard.push(what) });
    await until(() => heard.length > 0);
    expect(heard).toEqual(['of far']);
    stop.abort();
    expect(await asked).toContain('a request to stop');
    await until(() => worker.bench.stopped.length > 0);
    expect(await results()).toBe(0);
    expect(await jobs()).toEqual(['cancelled']);
  });

  test('who stops does not stop it for somebody at another server', async () => {
    const [here, there, worker] = [await server(), await server(), await machine('worker')];
    const stop = new AbortController();
    const leaving = ask(here, short('same'), { signal: stop.signal });
    await until(() => worker.bench.begun.length === 1);
    const staying = ask(there, short('same'));
    await new Promise((done) => setTimeout(done, 100));
    stop.abort();
    expect(await leaving).toContain('a request to stop');
    await until(() => worker.bench.begun.length === 2);
    worker.bench.letAll();
    expect(await staying).toBe('answered');
    expect(await results()).toBe(1);
  });

  test('a server that computes needs no worker', async () => {
    const alone = await machine('alone', { kind: 'server' });
    alone.bench.letAll();
    expect(await ask(alone, short('own'))).toBe('answered');
  });

  test('where nobody can compute, that is said at once', async () => {
    const here = await server();
    expect(await ask(here, short('x'))).toMatch(
      /^worker: expected one that runs, has the model toy \(sha256 f00d…\) and computes in float32 with engine .*, got none$/,
    );
    await machine('old', { engineVersion: '0.0.1' });
    await machine('elsewhere', {
      models: { ...fakeModels, list: async () => (await fakeModels.list()).map((model) => ({ ...model, hash: 'beef' })) },
    });
    expect(await ask(here, short('x'))).toMatch(/got 2 without$/);
    expect(await jobs()).toEqual([]);
  });

  test('a worker with another version of the engine takes nothing, and is taken nothing from', async () => {
    const [here, old, worker] = [await server(), await machine('old', { engineVersion: '0.0.1' }), await machine('worker')];
    worker.bench.letAll();
    old.bench.letAll();
    for (let index = 0; index < 6; index++) expect(await ask(here, short(`job ${index}`))).toBe('answered');
    expect(old.bench.begun).toEqual([]);
    expect((await here.queue.workers()).map(({ name, takes }) => [name, takes])).toEqual([
      ['old', false],
      ['worker', true],
    ]);
    // It answers those of its own version.
    expect(await ask(old, short('job 0'))).toBe('answered');
    expect(old.bench.begun).toEqual(['job 0']);
  });

  test('an answer is computed in the precision that it is asked for in', async () => {
    const half = [{ ...cpuDevice(1), dtype: 'float16' }];
    const [here, coarse] = [await server(), await machine('server', { takes: false, kind: 'server', precision: 'float16' })];
    const rounding = await machine('rounding', { devices: half });
    rounding.bench.letAll();
    expect(await ask(here, short('x'))).toMatch(/and computes in float32 with engine .*, got 1 without$/);
    const exact = await machine('exact');
    exact.bench.letAll();
    for (const asking of [here, coarse, here, coarse]) expect(await ask(asking, short('x'))).toBe('answered');
    expect([rounding.bench.begun, exact.bench.begun]).toEqual([['x'], ['x']]);
    expect(await results()).toBe(2);
  });

  test('a model is found where it has another name, or is on workers alone', async () => {
    const renamed = { ...fakeModels, list: async () => (await fakeModels.list()).map((model) => ({ ...model, name: 'other' })) };
    const [here, bare] = [await server(), await machine('bare', { takes: false, models: { ...fakeModels, list: async () => [] } })];
    const worker = await machine('worker', { models: renamed });
    worker.bench.model = 'other';
    worker.bench.letAll();
    expect((await here.queue.analyze(short('x'))).model).toEqual({ name: 'toy', hash: 'f00d' });
    expect((await bare.queue.analyze({ ...short('y'), model: 'other' })).model).toEqual({ name: 'other', hash: 'f00d' });
    await expect(bare.queue.analyze({ ...short('x'), model: 'none' })).rejects.toMatchObject({ code: 'unknown-model', expected: 'other' });
  });

  test('what needs a sparse dictionary goes to who has it', async () => {
    const withDictionary = (name: string) => ({ ...fakeModels, dictionaries: async () => [{ name, hash: 'd1c7' } as DictionarySummary] });
    const [here, bare] = [await machine('server', { takes: false, models: withDictionary('mine') }), await machine('bare')];
    bare.bench.letAll();
    const request = { ...short('features'), dictionaries: ['mine'] };
    expect(await ask(here, request)).toMatch(/has the model toy \(sha256 f00d…\) and its dictionaries d1c7… and computes/);
    expect(await ask(here, { ...request, dictionaries: ['other'] })).toBe('dictionary: expected mine, got "other"');
    const owner = await machine('owner', { models: withDictionary('theirs') });
    owner.bench.letAll();
    for (let index = 0; index < 4; index++) expect(await ask(here, request, { fresh: true })).toBe('answered');
    expect(bare.bench.begun).toEqual([]);
    expect(owner.bench.begun).toHaveLength(4);
  });

  test('a worker that leaves hands its job to another one', async () => {
    const [here, leaving] = [await server(), await machine('leaving')];
    const asked = ask(here, short('far'));
    await until(() => leaving.bench.begun.length === 1);
    const staying = await machine('staying');
    staying.bench.letAll();
    await close(leaving);
    expect(await asked).toBe('answered');
    expect(staying.bench.begun).toEqual(['far']);
    expect(leaving.bench.stopped).toEqual(['far']);
    expect((await here.queue.workers()).map(({ name }) => name)).toEqual(['staying']);
  });

  test('a worker that leaves may finish, where it is quick', async () => {
    const [here, leaving] = [await server(), await machine('leaving', { patience: 5000 })];
    const asked = ask(here, short('near'));
    await until(() => leaving.bench.begun.length === 1);
    const closed = close(leaving);
    await new Promise((done) => setTimeout(done, 50));
    leaving.bench.letAll();
    await closed;
    expect(await asked).toBe('answered');
    expect(leaving.bench.stopped).toEqual([]);
  });

  test('what waits for a worker that never comes back is given up, and says so', async () => {
    const [here, leaving] = [await server(), await machine('leaving')];
    const asked = ask(here, short('far'));
    await until(() => leaving.bench.begun.length === 1);
    await close(leaving);
    expect(await asked).toMatch(/^worker: expected one that runs, .*got none$/);
    expect(await jobs()).toEqual(['cancelled']);
  });

  test('a failure that others may not have is tried elsewhere, and not for ever', async () => {
    const [here, worker] = [await server(), await machine('worker')];
    let tries = 0;
    worker.bench.compute = async () => {
      tries += 1;
      throw new Error('the weights cannot be read');
    };
    expect(await ask(here, short('bad'))).toBe('the weights cannot be read');
    expect(tries).toBe(3);
    expect(await results()).toBe(0);
    worker.bench.compute = new Bench().compute;
  });

  test('an answer from a model that has changed meanwhile is none', async () => {
    const [here, worker] = [await server(), await machine('worker')];
    const { compute } = worker.bench;
    worker.bench.holds = false;
    worker.bench.compute = async (...given) => {
      const answer = await compute(...given);
      return { ...answer, model: { ...answer.model, hash: 'beef' } };
    };
    expect(await ask(here, short('moved'))).toContain('its folder has changed');
    expect(await results()).toBe(0);
  });

  test('who was only thought dead has not died of its job', async () => {
    const claim = { jobId: 'job', queue: 'q', key: 'k', attempt: 1, workerId: null, crashes: 1 };
    await database.db.insert(jobClaims).values([claim, { ...claim, jobId: 'other', crashes: 2 }]);
    const store = await JobStore.open({ db: database.db, url, engineVersion: '0.0.1', onFault: (error) => faults.push(error) });
    for (let times = 0; times < 2; times++) await store.pardon(['job']);
    await store.close();
    const left = await database.db.select().from(jobClaims).orderBy(jobClaims.jobId);
    expect(left.map(({ jobId, crashes }) => [jobId, crashes])).toEqual([
      ['job', 0],
      ['other', 2],
    ]);
  });

  test('old answers are forgotten', async () => {
    await database.db.insert(jobResults).values({ key: 'old', answer: {}, bytes: 2, workerId: 'w', createdAt: Date.now() - 4_000_000 });
    await database.db
      .insert(jobResults)
      .values({ key: 'large', answer: {}, bytes: 2_000_000_000, workerId: 'w', createdAt: Date.now() - 1000 });
    await database.db.insert(jobResults).values({ key: 'new', answer: {}, bytes: 2, workerId: 'w', createdAt: Date.now() });
    await server();
    expect((await database.db.select().from(jobResults)).map(({ key }) => key)).toEqual(['new']);
  });

  const away = () => Object.assign(new Error('terminating connection'), { code: '57P01' });

  test('an answer that cannot be stored at once is stored afterwards', async () => {
    const [here, worker] = [await server(), await machine('worker')];
    worker.bench.letAll();
    const finish = vi.spyOn(JobStore.prototype, 'finish').mockRejectedValueOnce(away());
    expect(await ask(here, short('one'))).toBe('answered');
    finish.mockRejectedValueOnce(new Error('canceling statement due to statement timeout'));
    expect(await ask(here, short('two'))).toBe('answered');
    expect(worker.bench.begun).toEqual(['one', 'two', 'two']);
    expect(finish).toHaveBeenCalledTimes(4);
    finish.mockRestore();
  });

  test('what was withdrawn while the database was away is withdrawn when it is back', async () => {
    const [here, worker] = [await server(), await machine('worker')];
    const stop = new AbortController();
    const asked = ask(here, short('far'), { signal: stop.signal });
    await until(() => worker.bench.begun.length === 1);
    const cancel = vi.spyOn(JobStore.prototype, 'cancel').mockRejectedValueOnce(away());
    stop.abort();
    expect(await asked).toContain('a request to stop');
    expect(await jobs()).toEqual(['active']);
    await until(() => worker.bench.stopped.length === 1);
    expect(await jobs()).toEqual(['cancelled']);
    expect(cancel).toHaveBeenCalledTimes(2);
    cancel.mockRestore();
  });

  test('a job that was taken without the worker hearing of it is handed back, and computed', async () => {
    const [here, worker] = [await server(), await machine('worker')];
    worker.bench.letAll();
    const { take } = JobStore.prototype;
    let lost = 0;
    const spy = vi.spyOn(JobStore.prototype, 'take').mockImplementation(async function (this: JobStore, ...given) {
      const taken = await take.apply(this, given);
      if (taken && lost++ === 0) throw away();
      return taken;
    });
    expect(await ask(here, short('one'))).toBe('answered');
    expect(lost).toBe(2);
    expect(await database.db.select().from(jobClaims)).toEqual([]);
    spy.mockRestore();
  });

  test('a worker whose models take longer to read than its lease stays alive meanwhile', async () => {
    let reads = 0;
    const list = async () => {
      reads += 1;
      if (reads > 1) await new Promise((done) => setTimeout(done, 3 * LEASE));
      return fakeModels.list();
    };
    const [here] = [await server(), await machine('other'), await machine('slow', { models: { ...fakeModels, list } })];
    await until(() => reads === 2);
    const end = Date.now() + 2 * LEASE;
    while (Date.now() < end) {
      expect((await here.queue.workers()).map(({ name }) => name)).toEqual(['other', 'slow']);
      await new Promise((done) => setTimeout(done, 50));
    }
  });

  /** A job in the hands of two workers, of whom the first was thought dead. */
  async function heldTwice() {
    const store = await JobStore.open({ db: database.db, url, engineVersion: '0.0.1', onFault: (error) => faults.push(error) });
    const means = { models: [{ name: 'toy', hash: 'f00d', dictionaries: [] }], dtype: 'float32' };
    const job = { ...jobOf(short('x'), {}), key: 'k', modelHash: 'f00d', dtype: 'float32', dictionaries: [] };
    const jobId = await store.submit(job);
    const first = await store.take('first', means, true);
    await store.stumble(first!, wireError(new Error('died')));
    const second = await store.take('second', means, true);
    expect([first, second].map((taken) => [taken?.jobId, taken?.attempt])).toEqual([
      [jobId, 0],
      [jobId, 1],
    ]);
    return { store, job, jobId: jobId!, first: first!, second: second! };
  }
  const stored = async () => (await database.db.select().from(jobResults)).map(({ workerId }) => workerId);

  test('where the one thought dead answers first, the other one has nothing left to do', async () => {
    const { store, first, second } = await heldTwice();
    await store.finish(first, 'first', answerTo(short('x')));
    expect(await jobs()).toEqual(['cancelled']);
    expect(await store.held('second')).toEqual(new Map());
    await store.finish(second, 'second', answerTo(short('x')));
    expect(await stored()).toEqual(['first']);
    await store.close();
  });

  test('what was withdrawn is answered by nobody', async () => {
    const { store, job, jobId, second } = await heldTwice();
    await store.cancel(jobId, job);
    await store.finish(second, 'second', answerTo(short('x')));
    expect(await stored()).toEqual([]);
    await store.close();
  });

  test('who held a job that is gone is forgotten, and who holds one is not', async () => {
    const { store, second } = await heldTwice();
    await database.db.insert(jobClaims).values({ ...second, jobId: 'gone', workerId: 'second', crashes: 0 });
    await store.clear();
    expect((await database.db.select().from(jobClaims)).map(({ jobId }) => jobId)).toEqual([second.jobId]);
    await store.close();
  });

  test('it goes on after the database was away', async () => {
    const [here, worker] = [await server(), await machine('worker')];
    const asked = ask(here, short('far'));
    await until(() => worker.bench.begun.length === 1);
    await postgres.restart();
    worker.bench.letAll();
    expect(await asked).toBe('answered');
    expect(await ask(here, short('next'))).toBe('answered');
    faults.length = 0;
  });
});
