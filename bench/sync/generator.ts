import type { CommonCalls, Handlers } from './child.ts';
import { until } from './child.ts';
import { Client } from './client.ts';
import { answer, clock, stats } from './peers/probe.mjs';
import { hocuspocusTabs, openTab, type Address, type Tab } from './tab.ts';

/** A process with clients in it, told what to do by run.ts. Its argument is Hocuspocus's client, where that is to be used. */

export interface Plan extends Address {
  /** unique among all clients of a run */
  index: number;
  /** the server process that it connects to */
  instance: number;
  writes: boolean;
  /** changes its selection once a second */
  moves: boolean;
  person: { id: string; name: string };
}

/** On the common clock. Writers begin at `from`; what they do between `measureFrom` and `to` counts. */
export interface Window {
  from: number;
  measureFrom: number;
  to: number;
}

export interface Made {
  instance: number;
  index: number;
  room: string;
  edits: number;
}

export interface Received {
  /** milliseconds from an edit to the `update` event of every other client */
  same: Float32Array;
  across: Float32Array;
  /** milliseconds from an edit to the server's word that it is stored */
  saved: Float32Array;
  /** edits that a client lacks */
  undelivered: number;
  /** pairs of an edit and a client that was to get it */
  expected: number;
  /** changes of others' presence that clients saw */
  presence: number;
  losses: number;
}

export interface Filled {
  labels: number;
  bytes: number;
}

export interface GeneratorCalls extends CommonCalls {
  /** opens clients, `atOnce` at a time; gives the milliseconds that each took to have the document */
  open: { argument: { plans: Plan[]; atOnce: number }; result: Float32Array };
  /** edits and moves; gives what was made, warm-up included */
  load: { argument: Window; result: Made[] };
  /** waits until every client has every edit, at most `patience` ms */
  settle: { argument: { made: Made[]; patience: number }; result: Received };
  /** labels until the document holds so many bytes; resolves when the server has them, and leaves `checks` open */
  fill: { argument: { writers: Plan[]; bytes: number; checks: Plan }; result: Filled };
  /** opens and closes clients, `atOnce` at a time */
  cycle: { argument: { plans: Plan[]; count: number; atOnce: number }; result: null };
  close: { argument: null; result: null };
}

const open: (address: Address) => Tab = process.argv[2] ? await hocuspocusTabs(process.argv[2]) : openTab;
// Every provider of y-websocket listens for the end of the process.
process.setMaxListeners(0);
let clients: Client[] = [];

/** What one person may add at once: servers bound it. */
const BYTES_PER_WRITER = 3_000_000;
/** Milliseconds until what a writer filled in has reached somebody else. */
const PATIENCE = 60_000;

async function inGroups<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

const handlers: Handlers<GeneratorCalls> = {
  stats,
  async open({ plans, atOnce }) {
    const took: number[] = [];
    await inGroups(plans, atOnce, async (plan) => {
      const started = clock();
      const client = new Client(plan, open(plan));
      clients.push(client);
      await client.tab.synced;
      took.push(clock() - started);
    });
    return Float32Array.from(took);
  },
  async load(window) {
    for (const client of clients) client.work(window);
    await until(window.to);
    return clients
      .filter(({ plan }) => plan.writes)
      .map(({ plan: { instance, index, room }, edits }) => ({ instance, index, room, edits }));
  },
  async settle({ made, patience }) {
    const end = clock() + patience;
    for (;;) {
      const undelivered = clients.reduce((total, client) => total + client.lacking(made), 0);
      if (undelivered > 0 && clock() < end) await until(clock() + 100);
      else return { ...Client.results(clients), undelivered, expected: clients.reduce((total, client) => total + client.due(made), 0) };
    }
  },
  async fill({ writers, bytes, checks }) {
    // Somebody else having it all says that the server does, whatever the protocol.
    const reader = new Client(checks, open(checks));
    await reader.tab.synced;
    const filled = { labels: 0, bytes: 0 };
    for (const plan of writers) {
      const writer = new Client(plan, open(plan));
      await writer.tab.synced;
      writer.addLabels(filled, Math.min(bytes, filled.bytes + BYTES_PER_WRITER));
      const end = clock() + PATIENCE;
      while (reader.labels.size < filled.labels && clock() < end) await until(clock() + 50);
      writer.tab.close();
      if (reader.labels.size < filled.labels)
        throw new Error(`fill: expected ${filled.labels} labels at the reader, got ${reader.labels.size}`);
    }
    if (filled.bytes < bytes) throw new Error(`fill: expected ${bytes} bytes, got ${filled.bytes} of ${writers.length} writers`);
    // It stays, because a server that stores nothing forgets a document that nobody has open.
    clients.push(reader);
    return filled;
  },
  async cycle({ plans, count, atOnce }) {
    const turns = Array.from({ length: count }, (_, index) => plans[index % plans.length]!);
    await inGroups(turns, atOnce, async (plan) => {
      const tab = open(plan);
      await tab.synced;
      tab.close();
    });
    return null;
  },
  close() {
    for (const { tab } of clients) tab.close();
    clients = [];
    return null;
  },
};
answer(handlers);
process.send?.('ready');
