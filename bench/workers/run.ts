import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openPostgres, type OpenDatabase } from '../../db/client.ts';
import { jobClaims, workers as workersTable } from '../../db/schema.ts';
import type { AnalyzeRequest } from '../../lib/engine/index.ts';
import type { Engine } from '../../server/context.ts';
import { createEngine } from '../../server/engine/index.ts';
import { openSharedQueue } from '../../server/queue/shared.ts';
import { MIGRATIONS } from '../../server/testing/home.ts';
import { startPostgres } from '../../server/testing/services.ts';
import { WorkerProcess } from '../../server/testing/worker-process.ts';
import { describeMachine } from '../machine.ts';
import { printReport, type Latency, type Report, type Throughput } from './report.ts';

/** `npm run bench:workers [-- --quick] [--json]`: what workers on one Postgres get done, and what the queue between costs. */

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } } });
const { quick, json } = values;

const COUNTS = [1, 2, 4];
const BATCH = quick ? 16 : 48;
const ROUNDS = quick ? 1 : 3;
const TINY = quick ? 50 : 300;
const BESIDE = quick ? 20 : 100;
const TAKE_OVERS = quick ? 1 : 3;
const PEOPLE = 4;
const LEASE = 6;
const MODEL = 'attn-2l';
const TOKENS = 48;

/** Seeded: every run asks the same. */
function tokensOf(seed: number, count: number): number[] {
  let state = seed * 2_654_435_761 + 1;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % 2000;
  });
}

/** One job of the batch: a few hundred milliseconds of one core. */
function batchJob(seed: number): AnalyzeRequest {
  const tokens = tokensOf(seed, TOKENS);
  return { view: 'attribution', model: MODEL, tokens, counterfactualTokens: tokensOf(seed + 1000, TOKENS), steps: 40, top: 100 };
}

const tinyJob: AnalyzeRequest = { view: 'logits', model: MODEL, tokens: [1, 2, 3, 4, 5, 6], top: 1 };

function tell(what: string): void {
  process.stderr.write(`${new Date().toTimeString().slice(0, 8)} ${what}\n`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function latencyOf(times: number[]): Latency {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { count: times.length, p50: at(0.5), p95: at(0.95), most: at(1) };
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

/** The whole batch at once, asked by several people. */
function askBatch(queue: Engine, signal?: AbortSignal): Promise<unknown>[] {
  const options = { urgency: 'batch', fresh: true, signal } as const;
  return Array.from({ length: BATCH }, (_, index) => queue.analyze(batchJob(index), { ...options, person: `person ${index % PEOPLE}` }));
}

async function throughput(queue: Engine, workers: number): Promise<Throughput> {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await timed(() => Promise.all(askBatch(queue))));
  const ms = median(rounds);
  return { workers, jobs: BATCH, seconds: ms / 1000, perSecond: (1000 * BATCH) / ms };
}

async function tinyLatency(queue: Engine): Promise<Latency> {
  const times: number[] = [];
  for (let index = 0; index < TINY; index++) times.push(await timed(() => queue.analyze(tinyJob, { fresh: true })));
  return latencyOf(times);
}

/** Tiny jobs one after the other while the queue is full of long ones. */
async function latencyBeside(queue: Engine): Promise<Latency> {
  const stop = new AbortController();
  // Every job of a batch listens to it.
  setMaxListeners(0, stop.signal);
  const times: number[] = [];
  const keepFull = async () => {
    while (!stop.signal.aborted) await Promise.allSettled(askBatch(queue, stop.signal));
  };
  const full = keepFull();
  await new Promise((done) => setTimeout(done, 1000));
  for (let index = 0; index < BESIDE; index++)
    times.push(await timed(() => queue.analyze(tinyJob, { fresh: true, person: 'somebody else' })));
  stop.abort();
  await full;
  return latencyOf(times);
}

/** From a SIGKILL in the middle of a job to the moment at which another worker has it. */
async function takeOver(
  queue: Engine,
  database: OpenDatabase,
  running: Map<string, WorkerProcess>,
  again: (name: string) => Promise<void>,
): Promise<number> {
  // Whoever still holds a job of a batch would be taken for the one that took over.
  while ((await database.db.select().from(jobClaims)).length > 0) await new Promise((done) => setTimeout(done, 50));
  const answer = queue.analyze({ ...batchJob(7), steps: 1000 }, { fresh: true });
  answer.catch(() => {});
  const holder = await holderOtherThan(database, null);
  const worker = running.get(holder)!;
  const ms = await timed(async () => {
    await worker.kill();
    await holderOtherThan(database, holder);
  });
  await answer;
  await again(holder);
  return ms;
}

async function holderOtherThan(database: OpenDatabase, name: string | null): Promise<string> {
  for (;;) {
    const claims = await database.db.select().from(jobClaims);
    const known = await database.db.select().from(workersTable);
    const holder = known.find(({ id }) => claims.some(({ workerId }) => workerId === id));
    if (holder && holder.name !== name) return holder.name;
    await new Promise((done) => setTimeout(done, 10));
  }
}

async function main(): Promise<void> {
  const postgres = await startPostgres();
  if (!postgres) throw new Error('PostgreSQL: expected it to be installed, because workers share one');
  const home = mkdtempSync(join(tmpdir(), 'pathboard-bench-workers-'));
  const url = await postgres.createDatabase();
  const database = await openPostgres(url, MIGRATIONS, () => {});
  const { models, devices, ...engine } = createEngine({ home });
  const running = new Map<string, WorkerProcess>();
  const startWorker = async (name: string) => {
    const worker = new WorkerProcess({ name, databaseUrl: url, home, lease: LEASE });
    running.set(name, worker);
    await worker.ready;
  };
  const here = { db: database.db, url, engine, models, devices, takes: false, name: 'bench', kind: 'server' } as const;
  const queue = await openSharedQueue({ ...here, lease: LEASE * 1000, patience: 0, onFault: (error) => tell(String(error)) });
  try {
    tell('in process');
    // Models load with the first job.
    await Promise.all([engine.analyze(tinyJob), engine.analyze(batchJob(0))]);
    const alone = { throughput: await throughput(engine, 0), tiny: await tinyLatency(engine), beside: await latencyBeside(engine) };
    const report: Report = {
      machine: await describeMachine(),
      alone,
      shared: [],
      tiny: latencyOf([]),
      takeOver: latencyOf([]),
      lease: LEASE,
    };
    for (const count of COUNTS) {
      while (running.size < count) await startWorker(`worker ${running.size + 1}`);
      await Promise.all(askBatch(queue));
      tell(`${count} workers: throughput`);
      const measured = await throughput(queue, count);
      tell(`${count} workers: latency beside a batch`);
      report.shared.push({ throughput: measured, beside: await latencyBeside(queue) });
      if (count > 1) continue;
      tell('a tiny job by itself');
      report.tiny = await tinyLatency(queue);
    }
    tell('taking over');
    const times: number[] = [];
    for (let index = 0; index < TAKE_OVERS; index++) times.push(await takeOver(queue, database, running, startWorker));
    report.takeOver = latencyOf(times);
    if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
    else printReport(report);
  } finally {
    await Promise.all([...running.values()].map((worker) => worker.kill()));
    await queue.close();
    await database.close();
    await postgres.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

await main();
