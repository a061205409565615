import { until, type Child, type Stats } from './child.ts';
import type { GeneratorCalls } from './generator.ts';
import { closeAll, measureLoad, openAll, plansOf, type LoadResult, type Pace } from './load.ts';
import { clock } from './peers/probe.mjs';
import type { OurSite, Site } from './subjects.ts';

export interface MemoryResult {
  boards: number;
  /** bytes of the server's heap for a board that one client has open and nobody touches */
  idleHeap: number;
  /** for one that five have open and one edits */
  activeHeap: number;
  /** of the whole process before, with all of them idle and with all at work */
  rss: [number, number, number];
}

const CLIENTS = 5;

/** Many boards, idle and then at work: what each costs, and how fast edits are. */
export async function measureMemory(
  site: Site,
  generators: readonly Child<GeneratorCalls>[],
  boards: number,
  pace: Pace,
): Promise<{ memory: MemoryResult; load: LoadResult }> {
  const place = await site.prepare(boards, CLIENTS);
  const collected = (): Promise<Stats> => site.servers[0]!.ask('stats', { collect: true });
  // The first boards bring along what is there once: code, the database's cache.
  const once = { ...place, rooms: place.rooms.slice(0, 1) };
  await openAll(generators, plansOf(once, { boards: 1, clients: CLIENTS, writers: 0 }), 1);
  await closeAll(generators);
  const empty = await collected();
  await openAll(generators, plansOf(place, { boards, clients: 1, writers: 0 }), 1);
  const idle = await collected();
  await closeAll(generators);
  const load = await measureLoad(site, generators, place, { boards, clients: CLIENTS, writers: 1 }, pace);
  const active = await collected();
  await closeAll(generators);
  const each = (after: Stats) => (after.heapUsed - empty.heapUsed) / boards;
  return { memory: { boards, idleHeap: each(idle), activeHeap: each(active), rss: [empty.rss, idle.rss, active.rss] }, load };
}

export interface CyclesResult {
  cycles: number;
  /** bytes, after each tenth of them, garbage collected and every board unloaded */
  heap: number[];
  rss: number[];
  seconds: number;
}

const BOARDS = 20;
const ROUNDS = 10;
const AT_ONCE = 10;
/** A board is unloaded so soon in this scenario, so that each round loads and unloads them anew. */
export const UNLOAD_AFTER = 100;

/** Clients that open a board or its discussion, get the document and close, over and over. */
export async function measureCycles(site: OurSite, generator: Child<GeneratorCalls>, cycles: number): Promise<CyclesResult> {
  const boards = await site.prepare(BOARDS, AT_ONCE);
  const rooms = boards.rooms.flatMap((room) => [room, room.replace('board/', 'discussion/')]);
  const plans = plansOf({ ...boards, rooms }, { boards: rooms.length, clients: 1, writers: 0 });
  const heap: number[] = [];
  const rss: number[] = [];
  const started = clock();
  for (let round = 0; round < ROUNDS; round++) {
    await generator.ask('cycle', { plans, count: Math.ceil(cycles / ROUNDS), atOnce: AT_ONCE });
    await until(clock() + 10 * UNLOAD_AFTER);
    const stats = await site.servers[0]!.ask('stats', { collect: true });
    heap.push(stats.heapUsed);
    rss.push(stats.rss);
  }
  return { cycles, heap, rss, seconds: (clock() - started) / 1000 };
}
