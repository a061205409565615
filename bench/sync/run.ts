import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.ts';
import type { Child } from './child.ts';
import type { GeneratorCalls } from './generator.ts';
import { measureJoin, type JoinResult } from './join.ts';
import { closeAll, measureLoad, type LoadResult, type Pace, type Shape } from './load.ts';
import { measureCycles, measureMemory, UNLOAD_AFTER, type CyclesResult, type MemoryResult } from './memory.ts';
import { printReport } from './report.ts';
import { PEERS, startGenerators, startOurs, type Site, type Subject } from './subjects.ts';

/** `npm run bench:sync [-- --quick] [--no-peers] [--json] [--generators N] [--profile FOLDER]`: how fast, how surely and at what cost boards are kept in step. */

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    'no-peers': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    generators: { type: 'string', default: '2' },
    profile: { type: 'string' },
  },
});
const { quick, profile } = values;
const generatorCount = Number(values.generators);

const board = (clients: number, writers: number): Shape => ({ boards: 1, clients, writers });
const PACE: Pace = quick ? { warmUp: 1500, measured: 5000, patience: 15_000 } : { warmUp: 5000, measured: 20_000, patience: 30_000 };
const SHAPES = quick
  ? [board(50, 5), board(200, 20)]
  : [10, 50, 200].flatMap((clients) => [1, 5, 20].filter((writers) => writers <= clients).map((writers) => board(clients, writers)));
const PEER_SHAPES = quick ? [board(50, 5), board(200, 20)] : [board(10, 1), board(50, 5), board(200, 1), board(200, 5), board(200, 20)];
/** Without a database they are at their fastest. */
const QUICK_PEERS = PEERS.filter(({ name }) => name.endsWith('in memory'));
const BOARDS = quick ? 20 : 100;
const CYCLES = quick ? 500 : 10_000;
const JOIN = quick ? { clients: 10, bytes: 2_000_000, watched: 4000 } : { clients: 50, bytes: 10_000_000, watched: 10_000 };

export interface Measured {
  name: string;
  durability: string;
  loads: LoadResult[];
  join: JoinResult | null;
}

export interface Report {
  quick: boolean;
  generators: number;
  pace: Pace;
  ours: Measured;
  postgres: Measured | null;
  /** two processes of ours on one Postgres and one Redis */
  instances: Measured | null;
  /** the embedded server while an analysis runs, and how many were finished meanwhile */
  analysis: { loads: LoadResult[]; finished: number };
  memory: MemoryResult;
  cycles: CyclesResult;
  peers: Measured[];
}

type Generators = readonly Child<GeneratorCalls>[];

function tell(what: string): void {
  process.stderr.write(`${new Date().toTimeString().slice(0, 8)} ${what}\n`);
}

/** Every shape on a new board of the same server. */
async function measureShapes(site: Site, generators: Generators, name: string, shapes: readonly Shape[]): Promise<LoadResult[]> {
  const loads: LoadResult[] = [];
  for (const shape of shapes) {
    tell(`${name}: ${shape.boards} × ${shape.clients} clients, ${shape.writers} writers`);
    const place = await site.prepare(shape.boards, shape.clients);
    loads.push(await measureLoad(site, generators, place, shape, PACE));
    await closeAll(generators);
  }
  return loads;
}

/** With generators of its own, which end with it. */
async function withGenerators<T>(client: string | undefined, work: (generators: Generators) => Promise<T>): Promise<T> {
  const generators = await startGenerators(generatorCount, client);
  try {
    return await work(generators);
  } finally {
    for (const generator of generators) await generator.stop();
  }
}

async function withSite<S extends Site, T>(site: S, work: (site: S) => Promise<T>): Promise<T> {
  try {
    return await work(site);
  } finally {
    await site.stop();
  }
}

/** In processes of their own, so that one holds the large documents and the other is not late because of it. */
async function measureJoinOf(site: Site, name: string, client?: string): Promise<JoinResult> {
  tell(`${name}: ${JOIN.clients} clients join a board of ${JOIN.bytes / 1e6} MB`);
  const [joiners, onlookers] = await startGenerators(2, client);
  try {
    return await measureJoin(site, [joiners!, onlookers!], JOIN);
  } finally {
    await joiners!.stop();
    await onlookers!.stop();
  }
}

async function embedded(): Promise<Pick<Report, 'ours' | 'analysis' | 'memory' | 'cycles'>> {
  const options = { instances: 1, postgres: false, profile } as const;
  const measured = await withSite((await startOurs(options))!, async (site) =>
    withGenerators(undefined, async (generators) => {
      const loads = await measureShapes(site, generators, 'embedded database', SHAPES);
      const join = await measureJoinOf(site, 'embedded database');
      await site.servers[0]!.ask('analyse', true);
      const during = await measureShapes(
        site,
        generators,
        'while an analysis runs',
        quick ? [board(200, 20)] : [board(50, 5), board(200, 20)],
      );
      const finished = await site.servers[0]!.ask('analyse', false);
      return { loads, join, analysis: { loads: during, finished } };
    }),
  );
  tell(`memory of ${BOARDS} boards`);
  const many = await withSite((await startOurs(options))!, (site) =>
    withGenerators(undefined, (generators) => measureMemory(site, generators, BOARDS, PACE)),
  );
  tell(`${CYCLES} open/close cycles`);
  const cycles = await withSite((await startOurs({ ...options, unloadAfter: UNLOAD_AFTER }))!, (site) =>
    withGenerators(undefined, ([generator]) => measureCycles(site, generator!, CYCLES)),
  );
  const durability = 'stored before anybody sees it and before it is acknowledged; the embedded database does not call fsync';
  const ours = { name: 'Pathboard, embedded database', durability, loads: [...measured.loads, many.load], join: measured.join };
  return { ours, analysis: measured.analysis, memory: many.memory, cycles };
}

/** Null where PostgreSQL or Redis are not installed. */
async function served(instances: 1 | 2): Promise<Measured | null> {
  const site = await startOurs({ instances, postgres: true, profile });
  if (!site) return null;
  const name = instances === 1 ? 'Pathboard, PostgreSQL' : 'Pathboard, two instances, PostgreSQL and Redis';
  const shapes = quick ? [board(200, 20)] : [board(10, 1), board(50, 5), board(200, 20)];
  const loads = await withSite(site, () => withGenerators(undefined, (generators) => measureShapes(site, generators, name, shapes)));
  return { name, durability: 'stored and synced to disk before anybody sees it and before it is acknowledged', loads, join: null };
}

async function measurePeer({ name, durability, start, client }: Subject): Promise<Measured> {
  const module = await client?.();
  return withSite(await start(), async (site) => {
    const shapes = quick ? PEER_SHAPES : [...PEER_SHAPES, { boards: BOARDS, clients: 5, writers: 1 }];
    const loads = await withGenerators(module, (generators) => measureShapes(site, generators, name, shapes));
    return { name, durability, loads, join: quick ? null : await measureJoinOf(site, name, module) };
  });
}

const machine = await describeMachine();
const base = await embedded();
const postgres = quick ? null : await served(1);
const instances = await served(2);
const peers: Measured[] = [];
if (!values['no-peers']) for (const peer of quick ? QUICK_PEERS : PEERS) peers.push(await measurePeer(peer));
const report: Report = { quick, generators: generatorCount, pace: PACE, ...base, postgres, instances, peers };

if (values.json) console.log(JSON.stringify({ machine, ...report }));
else printReport(machine, report);
const lost = [report.ours, postgres, instances].flatMap((one) => one?.loads ?? []).some(({ undelivered }) => undelivered > 0);
process.exitCode = lost ? 1 : 0;
