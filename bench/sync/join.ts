import { coresUsed, until, type Child, type Stats } from './child.ts';
import { closeAll, plansOf } from './load.ts';
import type { GeneratorCalls } from './generator.ts';
import { clock } from './peers/probe.mjs';
import { percentiles, type Percentiles } from './samples.ts';
import type { Site } from './subjects.ts';

export interface JoinResult {
  clients: number;
  /** of the document, and the labels in it */
  bytes: number;
  labels: number;
  /** from connecting to having the document, all at once */
  joined: Percentiles;
  /** processor time of the server for all of them */
  serverMs: number;
  serverDelayMax: number;
  peakRss: number;
  /** edits of two people on another board meanwhile, from the edit to the other screen */
  others: Percentiles | null;
}

export interface JoinSize {
  clients: number;
  bytes: number;
  /** milliseconds for which the people on the other board are watched; the joining begins with them */
  watched: number;
}

const LEAD = 2000;

/** Clients who all open a large document at the same moment, beside two who work on a small one. */
export async function measureJoin(
  site: Site,
  [joiners, onlookers]: readonly [Child<GeneratorCalls>, Child<GeneratorCalls>],
  size: JoinSize,
): Promise<JoinResult> {
  const large = await site.prepare(1, size.clients);
  const plans = plansOf(large, { boards: 1, clients: size.clients, writers: 0 });
  const { labels, bytes } = await joiners.ask('fill', { checks: plans[0]!, writers: plans.slice(1), bytes: size.bytes });
  const small = await site.prepare(1, 2);
  const pair = plansOf(small, { boards: 1, clients: 2, writers: 2 }).map((plan) => ({ ...plan, index: plan.index + size.clients }));
  await onlookers.ask('open', { plans: pair, atOnce: 2 });
  const stats = (): Promise<Stats> => site.servers[0]!.ask('stats', { collect: false });

  const from = clock() + 200;
  const window = { from, measureFrom: from + LEAD, to: from + LEAD + size.watched };
  const working = onlookers.ask('load', window);
  await until(window.measureFrom);
  const before = await stats();
  const took = await joiners.ask('open', { plans, atOnce: size.clients });
  const after = await stats();
  const made = await working;
  const received = await onlookers.ask('settle', { made, patience: 60_000 });
  await closeAll([joiners, onlookers]);
  return {
    clients: size.clients,
    bytes,
    labels,
    joined: percentiles([took])!,
    serverMs: coresUsed(before, after) * (after.at - before.at),
    serverDelayMax: after.delay.max,
    peakRss: after.peakRss,
    others: percentiles([received.same]),
  };
}
