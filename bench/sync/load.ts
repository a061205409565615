import { cpus } from 'node:os';
import { coresUsed, until, type Child, type CommonCalls, type Stats } from './child.ts';
import type { GeneratorCalls, Plan } from './generator.ts';
import { clock } from './peers/probe.mjs';
import { percentiles, type Percentiles } from './samples.ts';
import type { Place, Site } from './subjects.ts';

export interface Shape {
  boards: number;
  /** on each board */
  clients: number;
  writers: number;
}

/** Milliseconds. */
export interface Pace {
  warmUp: number;
  measured: number;
  /** for what has not yet come when the last edit is made */
  patience: number;
}

export interface LoadResult extends Shape {
  /** edits a second that were made */
  editsPerSecond: number;
  /** from the edit to the other screen; null for a pair of instances that does not occur */
  same: Percentiles | null;
  across: Percentiles | null;
  /** from the edit to the server's word that it is stored; null where the server gives none */
  saved: Percentiles | null;
  undelivered: number;
  expected: number;
  /** changes of somebody else's presence that a client saw in a second */
  presencePerClient: number;
  losses: number;
  /** of one core */
  serverCores: number;
  generatorCores: number;
  /** of all cores, of whoever is running on this machine */
  machineBusy: number;
  /** how late the event loop was: the servers' and the generators' latest */
  serverDelay: Stats['delay'];
  generatorDelay: Stats['delay'];
}

/** Of those who do not write, every tenth moves. */
const QUIET_PER_MOVER = 10;
const OPEN_AT_ONCE = 10;

/** Clients of `shape`, spread evenly over the server processes and, within each, over the generators. */
export function plansOf({ rooms, people, addresses }: Place, { clients, writers }: Shape): Plan[] {
  return rooms.flatMap((room, board) =>
    Array.from({ length: clients }, (_, seat) => {
      const instance = seat % addresses.length;
      const writes = seat < writers;
      const moves = writes || (seat - writers) % QUIET_PER_MOVER === 0;
      const { cookie, ...person } = people[seat]!;
      return { ...addresses[instance]!, room, cookie: cookie || null, index: board * clients + seat, instance, writes, moves, person };
    }),
  );
}

/** Opens all clients, lets them work, and counts what came where. They stay open. */
export async function measureLoad(
  site: Pick<Site, 'servers'>,
  generators: readonly Child<GeneratorCalls>[],
  place: Place,
  shape: Shape,
  { warmUp, measured, patience }: Pace,
): Promise<LoadResult> {
  await openAll(generators, plansOf(place, shape), place.addresses.length);
  const from = clock() + 500;
  const window = { from, measureFrom: from + warmUp, to: from + warmUp + measured };
  const working = Promise.all(generators.map((generator) => generator.ask('load', window)));
  await until(window.measureFrom);
  const before = await sample(site.servers, generators);
  await until(window.to);
  const after = await sample(site.servers, generators);
  const made = (await working).flat();
  const received = await Promise.all(generators.map((generator) => generator.ask('settle', { made, patience })));
  const sum = (of: (one: (typeof received)[number]) => number) => received.reduce((total, one) => total + of(one), 0);
  return {
    ...shape,
    editsPerSecond: (1000 * made.reduce((total, { edits }) => total + edits, 0)) / (warmUp + measured),
    same: percentiles(received.map(({ same }) => same)),
    across: percentiles(received.map(({ across }) => across)),
    saved: percentiles(received.map(({ saved }) => saved)),
    undelivered: sum(({ undelivered }) => undelivered),
    expected: sum(({ expected }) => expected),
    presencePerClient: (1000 * sum(({ presence }) => presence)) / (shape.boards * shape.clients) / (warmUp + measured),
    losses: sum(({ losses }) => losses),
    serverCores: total(before.servers, after.servers),
    generatorCores: total(before.generators, after.generators),
    machineBusy: 1 - (after.idle - before.idle) / (after.all - before.all),
    serverDelay: latest(after.servers),
    generatorDelay: latest(after.generators),
  };
}

export async function openAll(generators: readonly Child<GeneratorCalls>[], plans: readonly Plan[], instances: number): Promise<void> {
  const opening = generators.map((generator, turn) => {
    const mine = plans.filter(({ index }) => Math.floor(index / instances) % generators.length === turn);
    return generator.ask('open', { plans: mine, atOnce: OPEN_AT_ONCE });
  });
  await Promise.all(opening);
}

export async function closeAll(generators: readonly Child<GeneratorCalls>[]): Promise<void> {
  await Promise.all(generators.map((generator) => generator.ask('close', null)));
}

async function sample(servers: readonly Child<CommonCalls>[], generators: readonly Child<GeneratorCalls>[]) {
  const [ofServers, ofGenerators] = await Promise.all([
    Promise.all(servers.map((server) => server.ask('stats', { collect: false }))),
    Promise.all(generators.map((generator) => generator.ask('stats', { collect: false }))),
  ]);
  const times = cpus().map(({ times }) => times);
  const idle = times.reduce((sum, time) => sum + time.idle, 0);
  const all = times.reduce((sum, { user, nice, sys, irq, idle }) => sum + user + nice + sys + irq + idle, 0);
  return { servers: ofServers, generators: ofGenerators, idle, all };
}

function total(before: readonly Stats[], after: readonly Stats[]): number {
  return after.reduce((sum, stats, index) => sum + coresUsed(before[index]!, stats), 0);
}

function latest(stats: readonly Stats[]): Stats['delay'] {
  const most = (of: keyof Stats['delay']) => Math.max(...stats.map(({ delay }) => delay[of]));
  return { p50: most('p50'), p95: most('p95'), p99: most('p99'), max: most('max') };
}
