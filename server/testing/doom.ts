import { getTableName } from 'drizzle-orm';
import { writeSync } from 'node:fs';
import type { App } from '../app.ts';
import { Room } from '../realtime/room.ts';

/** When a server ends itself as `kill -9` would: at a moment that nobody could hit from outside. */
export interface Doom {
  /** a room's log is replaced by a snapshot, rows are added to a log, a room is unloaded */
  at: 'compaction' | 'append' | 'unload';
  /** for the first two: as its statement is about to go out, with all statements done, once it is committed */
  phase: 'within' | 'before commit' | 'after commit';
  /** the first, the second, … of its kind */
  nth: number;
  /** milliseconds after the moment */
  delay: number;
}

/** What a server did so far. */
export interface Deeds {
  compactions: number;
  appends: number;
  unloads: number;
}

/** Where a server process tells its deeds, a line of JSON each, and how far it is. */
export const REPORTS = 3;
export const LOADED = 'loaded';
export const READY = 'ready';

const TABLES: Record<string, 'compaction' | 'append'> = { snapshots: 'compaction', updates: 'append' };
const COUNTS = { compaction: 'compactions', append: 'appends', unload: 'unloads' } as const;

/** Counts what the server does, tells it through {@link REPORTS}, and ends the process at the moment of its doom. */
export function watch(app: App, doom: Doom | null): void {
  const deeds: Deeds = { compactions: 0, appends: 0, unloads: 0 };
  const reach = (at: Doom['at'], phase: Doom['phase']) => {
    if (doom?.at === at && doom.phase === phase && deeds[COUNTS[at]] === doom.nth) end(doom.delay);
  };
  const count = (at: Doom['at']) => {
    deeds[COUNTS[at]] += 1;
    tell(deeds);
  };
  watchTransactions(app, count, reach);
  const { destroy } = Room.prototype;
  Room.prototype.destroy = function destroyWatched(this: Room) {
    count('unload');
    reach('unload', 'within');
    destroy.call(this);
    reach('unload', 'after commit');
  };
}

function watchTransactions({ db }: App, count: (at: Doom['at']) => void, reach: (at: Doom['at'], phase: Doom['phase']) => void): void {
  const transaction = db.transaction.bind(db);
  db.transaction = async (work, config) => {
    const seen = new Set<'compaction' | 'append'>();
    const result = await transaction((tx) => {
      const insert = tx.insert.bind(tx);
      tx.insert = (table) => {
        const deed = TABLES[getTableName(table)];
        if (deed && !seen.has(deed)) {
          seen.add(deed);
          count(deed);
          reach(deed, 'within');
        }
        return insert(table);
      };
      return work(tx).then((done) => {
        for (const deed of seen) reach(deed, 'before commit');
        return done;
      });
    }, config);
    for (const deed of seen) reach(deed, 'after commit');
    return result;
  };
}

function end(delay: number): void {
  if (delay === 0) process.kill(process.pid, 'SIGKILL');
  else setTimeout(() => process.kill(process.pid, 'SIGKILL'), delay);
}

export function tell(report: Deeds | typeof LOADED | typeof READY): void {
  writeSync(REPORTS, `${typeof report === 'string' ? report : JSON.stringify(report)}\n`);
}
