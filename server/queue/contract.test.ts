import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sql } from 'drizzle-orm';
import { openPostgres, type OpenDatabase } from '../../db/client.ts';
import { jobResults } from '../../db/schema.ts';
import type { AnalyzeRequest, Answer } from '../../lib/engine/index.ts';
import { rowsOf } from '../backup/tables.ts';
import type { AnalyzeOptions, Engine } from '../context.ts';
import { answerTo, fakeModels } from '../testing/fake-engine.ts';
import { MIGRATIONS } from '../testing/home.ts';
import { hasPostgres, startPostgres, type Postgres } from '../testing/services.ts';
import { until } from '../testing/world.ts';
import { cpuDevice } from './device.ts';
import { openSharedQueue } from './shared.ts';
import { Bench, long, short } from './testing.ts';

/** What both kinds of queue promise: one process by itself, and processes on one Postgres. */

interface Place {
  queue: Engine;
  bench: Bench;
  /** jobs that are in line */
  waiting(): Promise<number>;
}

describe('in this process', () => {
  promises(async () => {
    const bench = new Bench();
    const queue = bench.engine();
    return { queue, bench, waiting: async () => queue.queue().waiting };
  });
});

describe.skipIf(!hasPostgres())('on Postgres', () => {
  let postgres: Postgres;
  let database: OpenDatabase;
  let url: string;

  beforeAll(async () => {
    const started = await startPostgres();
    if (!started) throw new Error('PostgreSQL: expected it to be installed');
    postgres = started;
  });
  beforeAll(async () => {
    url = await postgres.createDatabase();
    database = await openPostgres(url, MIGRATIONS, () => {});
  });
  // What one test has computed another one may ask for again.
  afterEach(() => database.db.delete(jobResults));
  // Ending a cluster and removing its files takes long on a machine that does much else.
  afterAll(async () => {
    await database.close();
    await postgres.stop();
  }, 120_000);

  promises(async () => {
    const bench = new Bench();
    const queue = await openSharedQueue({
      db: database.db,
      url,
      engine: bench.engine(),
      models: fakeModels,
      devices: [cpuDevice(1)],
      takes: true,
      name: 'here',
      kind: 'server',
      lease: 3000,
      patience: 0,
      onFault: (error) => {
        throw error;
      },
    });
    const waiting = async () => {
      const [row] = await rowsOf<{ jobs: string }>(database.db, sql`select count(*) as jobs from pgboss.job where state < 'active'`);
      return Number(row?.jobs);
    };
    return { queue, bench, waiting };
  });
});

function promises(open: () => Promise<Place>): void {
  let queue: Engine;
  let bench: Bench;
  let waiting: Place['waiting'];

  beforeEach(async () => {
    ({ queue, bench, waiting } = await open());
  });
  afterEach(() => queue.close());

  const ask = (request: AnalyzeRequest, options: AnalyzeOptions = {}) => queue.analyze(request, options);
  /** How it ended, in a word. */
  const ending = (job: Promise<Answer>) =>
    job.then(
      () => 'answered',
      (error: unknown) => (error as { code?: string }).code,
    );
  const begun = (count: number) => until(() => bench.begun.length >= count);
  const inLine = async (count: number) => {
    const end = Date.now() + 10_000;
    while ((await waiting()) !== count) {
      if (Date.now() > end) throw new Error(`in line: expected ${count}, got ${await waiting()}`);
      await new Promise((done) => setTimeout(done, 5));
    }
  };
  /** Nothing more begins, though it had the time to. */
  const noMoreThan = async (count: number) => {
    await new Promise((done) => setTimeout(done, 150));
    expect(bench.begun).toHaveLength(count);
  };
  /** As many jobs as there are places, which keep whoever comes later waiting. */
  const fill = async () => {
    const jobs = ['x', 'y', 'z'].map((name) => ending(ask(short(name), { person: 'filling' })));
    await begun(3);
    return jobs;
  };

  test('an answer comes back, and an error keeps what it said', async () => {
    bench.letAll();
    expect(await ask(short('one'))).toEqual(answerTo(short('one')));
    await expect(ask(short('wrong'))).rejects.toMatchObject({ code: 'bad-tokens', where: 'prompt', expected: 'tokens', got: 'none' });
    await expect(ask({ ...short('one'), model: 'nowhere' })).rejects.toMatchObject({ code: 'unknown-model', expected: 'toy' });
  });

  test('text of any kind goes there and back', async () => {
    bench.letAll();
    const odd = 'a\u0000b \ud800 \u2028 "\\" 😀';
    const answer = await ask({ ...short(odd), paths: ['\u0000'], view: 'path-effect' });
    expect(bench.begun).toEqual([odd]);
    expect(answer.terms[0]?.name).toBe('\u0000');
  });

  test('progress is told to whoever asked, also to who joins later', async () => {
    const heard: string[] = [];
    const first = ask(long('far'), { onProgress: ({ done, total, what }) => heard.push(`${done} of ${total} ${what}`) });
    await until(() => heard.length > 0);
    expect(heard).toEqual(['1 of 2 of far']);
    bench.let('far');
    await first;
  });

  test('what waits is cancelled before it begins', async () => {
    await fill();
    const stop = new AbortController();
    const waiting = ending(ask(short('late'), { signal: stop.signal }));
    await noMoreThan(3);
    stop.abort();
    expect(await waiting).toBe('cancelled');
    bench.letAll();
    expect(await ending(ask(short('next')))).toBe('answered');
    expect(bench.begun).not.toContain('late');
  });

  test('what runs is stopped in the middle, and its place goes to the next', async () => {
    await fill();
    const stop = new AbortController();
    const jobs = [ending(ask(short('a'), { signal: stop.signal }))];
    await inLine(1);
    jobs.push(ending(ask(short('b'))));
    await inLine(2);
    await noMoreThan(3);
    bench.let('x');
    await begun(4);
    expect(bench.begun[3]).toBe('a');
    stop.abort();
    expect(await jobs[0]).toBe('cancelled');
    await begun(5);
    expect(bench.stopped).toEqual(['a']);
    bench.letAll();
    expect(await jobs[1]).toBe('answered');
  });

  test('the same asked twice at once is computed once, for as long as anybody waits', async () => {
    const leaving = new AbortController();
    const [first, second] = [ending(ask(short('same'), { signal: leaving.signal })), ending(ask(short('same')))];
    await begun(1);
    leaving.abort();
    expect(await first).toBe('cancelled');
    await noMoreThan(1);
    bench.let('same');
    expect(await second).toBe('answered');
    expect(bench.begun).toEqual(['same']);
    expect(bench.stopped).toEqual([]);
  });

  test('what is asked afresh is computed anew, each time', async () => {
    bench.letAll();
    await Promise.all([ask(short('again'), { fresh: true }), ask(short('again'), { fresh: true })]);
    await ask(short('again'), { fresh: true });
    expect(bench.begun).toEqual(['again', 'again', 'again']);
  });

  test('what somebody waits for comes before a batch that was there first', async () => {
    await fill();
    const jobs = [ending(ask(short('batch'), { urgency: 'batch' }))];
    await inLine(1);
    jobs.push(ending(ask({ ...short('set'), prompts: { generator: 'induction', count: 2 } })));
    await inLine(2);
    jobs.push(ending(ask(short('person'))));
    await inLine(3);
    await noMoreThan(3);
    for (const [index, name] of ['x', 'y', 'z'].entries()) {
      bench.let(name);
      await begun(4 + index);
    }
    bench.letAll();
    expect(await Promise.all(jobs)).toEqual(['answered', 'answered', 'answered']);
    expect(bench.begun.slice(3)).toEqual(['person', 'batch', 'set']);
  });

  test('who asks for much does not keep others waiting: turns go round', async () => {
    await fill();
    const names = Array.from({ length: 8 }, (_, index) => `a${index}`);
    const jobs: Promise<unknown>[] = [];
    const askFor = async (name: string, person: string) => {
      jobs.push(ending(ask(short(name), { person })));
      await inLine(jobs.length);
    };
    for (const name of names) await askFor(name, 'Ann');
    for (const name of ['b0', 'b1']) await askFor(name, 'Bea');
    await askFor('c0', 'Cy');
    await noMoreThan(3);
    for (const [index, name] of ['x', ...names.slice(0, 1), 'b0', 'c0', 'a1', 'b1', 'a2'].entries()) {
      bench.let(name);
      await begun(4 + index);
    }
    expect(bench.begun.slice(3)).toEqual(['a0', 'b0', 'c0', 'a1', 'b1', 'a2', 'a3']);
    bench.letAll();
    await Promise.all(jobs);
  });

  test('one place is never given to a long job', async () => {
    const longs = ['l0', 'l1', 'l2'].map((name) => ending(ask(long(name))));
    await begun(2);
    await noMoreThan(2);
    const quick = ending(ask(short('quick')));
    await begun(3);
    expect(bench.begun[2]).toBe('quick');
    bench.letAll();
    expect(await Promise.all([...longs, quick])).toEqual(longs.concat(quick).map(() => 'answered'));
  });

  test('who computes says so', async () => {
    const [here] = await queue.workers();
    expect(here).toMatchObject({
      devices: [{ provider: 'cpu', dtype: 'float32' }],
      models: [{ name: 'toy', hash: 'f00d', dictionaries: [] }],
      takes: true,
    });
    expect(here?.name).toBeTruthy();
  });
}
