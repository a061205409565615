import type { Machine } from '../machine.ts';
import type { JoinResult } from './join.ts';
import type { LoadResult } from './load.ts';
import type { Measured, Report } from './run.ts';
import type { Percentiles } from './samples.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

type Cell = string | number;

const ms = (value: number): string => (value < 100 ? value.toFixed(1) : value.toFixed(0));
const both = (of: Percentiles | null): Cell[] => (of ? [ms(of.p50), ms(of.p95), ms(of.p99)] : ['', '', '']);

/** Columns as wide as what is in them; the first one to the left. */
function printTable(head: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => String(row[column]).length)));
  for (const row of [head, ...rows]) {
    const cells = row.map((cell, column) => (column === 0 ? String(cell).padEnd(widths[column]!) : String(cell).padStart(widths[column]!)));
    console.log(cells.join('  ').trimEnd());
  }
  console.log('');
}

function shapeOf({ boards, clients, writers }: LoadResult): string {
  return boards === 1 ? `${clients} clients, ${writers} writing` : `${boards} boards × ${clients}, ${writers} writing`;
}

const LOAD_HEAD = [
  'ms from edit to screen',
  'p50',
  'p95',
  'p99',
  'saved p95',
  'lacking',
  'server',
  'load',
  'load late p95',
  'server late p99',
];

function loadRow(load: LoadResult): Cell[] {
  const { same, saved, undelivered, expected, serverCores, generatorCores, generatorDelay, serverDelay } = load;
  const share = (cores: number) => `${(100 * cores).toFixed(0)}%`;
  return [
    shapeOf(load),
    ...both(same),
    saved ? ms(saved.p95) : '',
    `${undelivered}/${expected}`,
    share(serverCores),
    share(generatorCores),
    ms(generatorDelay.p95),
    ms(serverDelay.p99),
  ];
}

function printMeasured({ name, durability, loads }: Measured): void {
  console.log(`${name}: ${durability}`);
  printTable(LOAD_HEAD, loads.map(loadRow));
}

function printInstances({ name, durability, loads }: Measured): void {
  console.log(`${name}: ${durability}`);
  const rows = loads.map((load) => {
    const [shape, ...rest] = loadRow(load);
    const [p50, p95, p99, ...others] = rest;
    return [shape!, p50!, p95!, p99!, ...both(load.across), ...others];
  });
  printTable([LOAD_HEAD[0]!, 'same p50', 'p95', 'p99', 'across p50', 'p95', 'p99', ...LOAD_HEAD.slice(4)], rows);
}

function printJoins(joins: readonly { name: string; join: JoinResult }[]): void {
  const [first] = joins;
  if (!first) return;
  const { clients, bytes, labels } = first.join;
  console.log(
    `${clients} clients join a board of ${(bytes / 1e6).toFixed(1)} MB (${labels.toLocaleString('en')} labels) at once, two others work on another one`,
  );
  const rows = joins.map(({ name, join }) => [
    name,
    (join.joined.p50 / 1000).toFixed(1),
    (join.joined.max / 1000).toFixed(1),
    (join.serverMs / 1000).toFixed(1),
    ms(join.serverDelayMax),
    (join.peakRss / MIB).toFixed(0),
    join.others ? ms(join.others.p95) : '',
    join.others ? ms(join.others.max) : '',
  ]);
  printTable(['', 'joined p50 s', 'last s', 'server CPU s', 'server late max ms', 'peak MiB', 'others p95 ms', 'max ms'], rows);
}

function printMemory({ memory, cycles }: Report): void {
  const kib = (bytes: number) => (bytes / KIB).toFixed(0);
  const [before, idle, active] = memory.rss.map((bytes) => (bytes / MIB).toFixed(0));
  console.log(
    `heap of a board, of ${memory.boards}: open and idle ${kib(memory.idleHeap)} KiB; with five clients, one of them writing, ${kib(memory.activeHeap)} KiB. ` +
      `The process: ${before} MiB resident before, ${idle} with all idle, ${active} with all at work`,
  );
  const heap = cycles.heap.map((bytes) => (bytes / MIB).toFixed(1)).join(' ');
  console.log(
    `heap after each tenth of ${cycles.cycles.toLocaleString('en')} open/close cycles, MiB: ${heap} (${cycles.seconds.toFixed(0)} s)\n`,
  );
}

/** What was wanted, and what came. */
function printTargets({ ours, analysis, cycles, peers, postgres, instances }: Report): void {
  const fullest = (loads: readonly LoadResult[]) => loads.find(({ clients, writers }) => clients === 200 && writers === 20)!;
  const p95 = fullest(ours.loads).same!.p95;
  const peer = peers.map(({ name, loads }) => ({ name, p95: fullest(loads).same?.p95 ?? Infinity })).sort((a, b) => a.p95 - b.p95)[0];
  const during = Math.max(...analysis.loads.map(({ same }) => same!.p95));
  const growth = cycles.heap.at(-1)! / cycles.heap[0]! - 1;
  const all = [ours, postgres, instances].flatMap((one) => one?.loads ?? []);
  const undelivered = all.reduce((sum, load) => sum + load.undelivered, 0);
  const rows: Cell[][] = [
    ['p95 of 200 clients, 20 writing, one instance', `${ms(p95)} ms`, 'under 50 ms'],
    ['edits that somebody lacks', undelivered, '0'],
    [`p95 while analyses run (${analysis.finished} finished)`, `${ms(during)} ms`, 'under 100 ms'],
    [`heap from the first to the last tenth of ${cycles.cycles} cycles`, `${(100 * growth).toFixed(1)}%`, 'flat'],
  ];
  if (peer) rows.splice(1, 0, [`that p95 to the better peer's (${peer.name})`, (p95 / peer.p95).toFixed(2), 'at most 1.5']);
  printTable(['', 'measured', 'wanted'], rows);
}

export function printReport(machine: Machine, report: Report): void {
  const { pace, generators, ours, postgres, instances, analysis, peers } = report;
  console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.os}, Node ${machine.node}`);
  console.log(
    `real y-websocket clients in ${generators} processes on the same machine, 2 edits a second and writer, presence on; ` +
      `${pace.warmUp / 1000} s to warm up, ${pace.measured / 1000} s measured`,
  );
  console.log('server and load: processor time in percent of one core; late: how late the event loop was, in ms\n');
  printMeasured(ours);
  printMeasured({
    name: 'The same',
    durability: `while analyses of the built-in model run one after the other`,
    loads: analysis.loads,
    join: null,
  });
  if (postgres) printMeasured(postgres);
  if (instances) printInstances(instances);
  for (const peer of peers) printMeasured(peer);
  const joins = [ours, ...peers].flatMap(({ name, join }) => (join ? [{ name, join }] : []));
  printJoins(joins);
  printMemory(report);
  printTargets(report);
}
