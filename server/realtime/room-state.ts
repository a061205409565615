import type * as Y from 'yjs';
import type { Database } from '../../db/client.ts';
import { metrics } from '../metrics.ts';
import { Refusal } from '../refusal.ts';
import type { Budgets } from './budgets.ts';
import type { FanOut } from './fan-out.ts';
import { Judge } from './judge.ts';
import { LIMITS, WRITABLE } from './legality.ts';
import { compactRoom, insertEntries, purgeRoom, type Compaction, type Entry, type Stored } from './log.ts';
import type { Notice } from './notices.ts';
import { Replica } from './replica.ts';
import { Scratch } from './scratch.ts';
import { lockRoom, readSince, type Reading } from './statements.ts';
import { StoredFlaw } from './stored.ts';

export interface RoomName {
  kind: 'board' | 'discussion';
  boardId: string;
}

export interface StateWorld {
  db: Database;
  /** other processes may write to the same database */
  isShared: boolean;
  now: () => number;
  budgets: Budgets;
  fanOut: FanOut;
  /** told in the transaction that stores a change: what the document was, and what it will be */
  onStore: (tx: Database, name: RoomName, change: StoredChange) => Promise<void>;
  onFault: (room: string, error: unknown) => void;
  /** log rows that make a compaction worth while */
  compactAfter: number;
}

export interface StoredChange {
  before: Y.Doc;
  after: Y.Doc;
  /** whether what lists of boards show has to be written again */
  isListed: boolean;
}

export interface EditOptions {
  /** in the transaction, ahead of the change, which may use what it read; where it throws, nothing stays */
  before?: (tx: Database) => Promise<void>;
  /** what `change` deletes leaves the database with it: log, snapshots and quarantine hold nothing but what is there now */
  purge?: boolean;
}

interface Listeners<Origin> {
  /** the document has changed; `origin` is what {@link RoomState.store} was told, null for everything else */
  onNews: (update: Uint8Array, origin: Origin | null) => void;
  /** told once when the room in memory is not what the log holds any more, and must be loaded anew */
  onStale: (reason: unknown) => void;
}

/** The room in memory is of no use any more. Nothing was done: load the room again, and do it there. */
export class StaleRoomError extends Error {}

/** An update larger than this is not sent along with the notice of it: the other instances read it from the log. */
const TOLD = 256_000;
/** Milliseconds for which a list of boards may show an older time of the last change. */
const LISTED = 10_000;
/** Milliseconds after a failed compaction until the next one. */
const AGAIN = 10_000;

/**
 * The document of a room and its log. Everything that changes it goes through one queue; where instances share a
 * database, each change is one transaction under the room's lock, which first takes in what others stored.
 */
export class RoomState<Origin> {
  readonly replica: Replica;
  readonly judge: Judge;
  private tail: Promise<void> = Promise.resolve();
  private isStale = false;
  /** a transaction failed, and perhaps was committed all the same */
  private isUncertain = false;
  private catchingUp: Promise<void> | null = null;
  private compacting: Promise<void> | null = null;
  /** of performance.now() */
  private compactionFailed = Number.NEGATIVE_INFINITY;
  private listedAt = Number.NEGATIVE_INFINITY;

  constructor(
    readonly key: string,
    readonly name: RoomName,
    stored: Stored,
    private readonly world: StateWorld,
    private readonly listeners: Listeners<Origin>,
  ) {
    this.replica = new Replica(stored);
    const budgetOf = (personId: string) => world.budgets.of(key, personId);
    this.judge = new Judge(new Scratch(() => this.replica.state), WRITABLE[name.kind], budgetOf);
  }

  /** Runs when everything queued before has ended. */
  enqueue<T>(job: () => Promise<T>): Promise<T> {
    const result = this.tail.then(job);
    this.tail = result.then(
      () => {},
      () => {},
    );
    return result;
  }

  /** Within the queue: judges by `judge`, stores the entries that it gives, applies and tells them. When it rejects, nothing of them stays. */
  async store(judge: (entries: Entry[]) => void, learn: (tx: Database) => Promise<void>, origin: () => Origin | null): Promise<void> {
    const entries: Entry[] = [];
    try {
      const ids = await this.transact(async (tx) => {
        await learn(tx);
        judge(entries);
        return this.append(tx, entries);
      });
      this.settle(entries, ids, origin());
    } catch (error) {
      this.judge.forget(entries);
      this.renewScratch([]);
      throw error;
    }
  }

  /**
   * A change by the server: tried, stored together with what `alongside` writes, applied, told. Resolves
   * with what `change` returned; when anything of it fails, nothing of it stays.
   */
  edit<T>(change: (doc: Y.Doc) => T, alongside?: (tx: Database) => Promise<void>, { purge = false, before }: EditOptions = {}): Promise<T> {
    return this.enqueue(async () => {
      const { scratch } = this.judge;
      let entries: Entry[] = [];
      try {
        const { result, ids, purged } = await this.transact(async (tx) => {
          await before?.(tx);
          const made = this.judge.change(change);
          entries = made.entry ? [made.entry] : [];
          if (!purge) this.checkSize(entries);
          const rows = await this.append(tx, entries);
          await alongside?.(tx);
          return { result: made.result, ids: rows, purged: purge ? await purgeRoom(tx, this.key, this.world.now()) : null };
        });
        this.settle(entries, ids, null);
        if (purged) this.noteCompaction(purged);
        return result;
      } catch (error) {
        if (entries.length > 0 || scratch.isDirty) this.renewScratch([]);
        throw error;
      }
    });
  }

  /** What people say grows by requests alone. Boards are bounded where their editors write, and what mends one may not be refused. */
  private checkSize(entries: readonly Entry[]): void {
    if (this.name.kind !== 'discussion') return;
    const more = entries.reduce((sum, { data }) => sum + data.length, 0);
    if (!this.replica.hasRoomFor(more, this.world.now())) {
      throw new Refusal('too-large', 'discussion', `at most ${LIMITS.room} bytes: delete some of it first`, 'more');
    }
  }

  /** Reads the document as it will be when all that is queued now is stored, and all that other instances stored. */
  read<T>(reader: (doc: Y.Doc) => T): Promise<T> {
    return this.enqueue(async () => {
      if (this.world.isShared) await this.takeInLog();
      return reader(this.replica.doc);
    });
  }

  compact({ purge = false }: EditOptions = {}): Promise<void> {
    if (!purge) return this.compactNow();
    return this.enqueue(async () => {
      const purged = await this.transact((tx) => purgeRoom(tx, this.key, this.world.now()));
      if (purged) this.noteCompaction(purged);
    });
  }

  get worthCompacting(): boolean {
    return this.replica.isWorthCompacting(this.world.compactAfter) && performance.now() - this.compactionFailed > AGAIN;
  }

  /** The same, when nobody is left in the room. */
  get worthCompactingAtLast(): boolean {
    return this.worthCompacting || this.replica.isLong;
  }

  async settled(): Promise<void> {
    await this.enqueue(async () => {});
    await this.compacting;
  }

  /** Another instance stored something. It is taken over where it is the next thing in the log. */
  hear({ previous, last, rows, update }: Extract<Notice, { type: 'stored' }>): void {
    if (this.isStale || last <= this.replica.last) return;
    if (previous !== this.replica.last || !update) {
      void this.catchUp();
      return;
    }
    try {
      this.follow([update], last, rows);
    } catch (error) {
      this.goStale(error);
    }
  }

  /** Takes in what is in the log and not here. Never rejects: what fails now is done by the next one. */
  catchUp(): Promise<void> {
    this.catchingUp ??= this.enqueue(() => this.takeInLog())
      .catch((error: unknown) => this.fail(error))
      .finally(() => (this.catchingUp = null));
    return this.catchingUp;
  }

  /** From now on every change is refused with a StaleRoomError. */
  goStale(reason: unknown): void {
    if (this.isStale) return;
    this.isStale = true;
    this.listeners.onStale(reason);
  }

  /** A job that nobody waits for ended so. */
  fail(error: unknown): void {
    if (!(error instanceof StaleRoomError)) this.world.onFault(this.key, error);
  }

  /** Makes the copy on which changes are tried anew, of what the log holds and what is about to be. */
  renewScratch(entries: readonly Entry[]): void {
    this.judge.scratch.renew(entries.map(({ data }) => data));
  }

  destroy(): void {
    this.isStale = true;
    this.replica.doc.destroy();
    this.judge.scratch.destroy();
  }

  /** Where instances share the database, what others stored is taken in first: `work` then has the last word on what the log holds. */
  private async transact<T>(work: (tx: Database) => Promise<T>): Promise<T> {
    this.requireFresh();
    try {
      const result = await this.world.db.transaction(async (tx) => {
        if (this.world.isShared || this.isUncertain) {
          await lockRoom(tx, this.key);
          this.takeIn(await readSince(tx, this.key, this.replica.last));
        }
        return work(tx);
      });
      this.isUncertain = false;
      return result;
    } catch (error) {
      this.isUncertain = true;
      if (error instanceof StaleRoomError) this.goStale(error);
      throw error;
    }
  }

  private async append(tx: Database, entries: readonly Entry[]): Promise<number[]> {
    if (entries.length === 0) return [];
    const { scratch } = this.judge;
    const now = this.world.now();
    const isListed = scratch.isRetitled || now - this.listedAt >= LISTED;
    await this.world.onStore(tx, this.name, { before: this.replica.doc, after: scratch.doc, isListed });
    if (isListed) this.listedAt = now;
    scratch.isRetitled = false;
    return insertEntries(tx, this.key, entries, now);
  }

  /** Stored first, then applied, then told: nobody ever sees what a crash could still take back. */
  private settle(entries: readonly Entry[], ids: readonly number[], origin: Origin | null): void {
    const last = ids.at(-1);
    if (last === undefined) return;
    const previous = this.replica.last;
    this.judge.remember(entries);
    try {
      const update = this.replica.add(
        entries.map(({ data }) => data),
        last,
      );
      if (update) this.listeners.onNews(update, origin);
      const told = update && update.length <= TOLD ? update : null;
      this.world.fanOut.publish({ type: 'stored', room: this.key, previous, last, rows: ids.length, update: told });
    } catch (error) {
      this.goStale(error);
    }
  }

  private async takeInLog(): Promise<void> {
    this.requireFresh();
    const reading = await readSince(this.world.db, this.key, this.replica.last);
    try {
      this.takeIn(reading);
    } catch (error) {
      this.goStale(error);
      throw error;
    }
  }

  private takeIn({ epoch, snapshot, rows }: Reading): void {
    this.requireFresh();
    if (epoch !== this.replica.epoch) throw new StaleRoomError(`${this.key}: expected epoch ${this.replica.epoch}, got ${epoch}`);
    const { last } = this.replica;
    const news = [...(snapshot ? [{ id: snapshot.lastId, data: snapshot.data }] : []), ...rows].filter(({ id }) => id > last);
    if (news.length === 0) return;
    try {
      this.follow(
        news.map(({ data }) => data),
        Math.max(...news.map(({ id }) => id)),
        rows.length,
      );
    } catch (cause) {
      throw new StaleRoomError(`${this.key}: expected rows that apply`, { cause });
    }
  }

  /** Takes over what another instance stored. */
  private follow(updates: readonly Uint8Array[], last: number, rows: number): void {
    const update = this.replica.add(updates, last, rows);
    if (!update) return;
    this.judge.scratch.follow(update);
    this.listeners.onNews(update, null);
  }

  private requireFresh(): void {
    if (this.isStale) throw new StaleRoomError(`${this.key}: expected a room that is in use, got one that was given up`);
  }

  private compactNow(): Promise<void> {
    this.compacting ??= this.runCompaction().finally(() => (this.compacting = null));
    return this.compacting;
  }

  /** Beside the queue: only its end takes the room's lock. */
  private async runCompaction(): Promise<void> {
    try {
      const compaction = await compactRoom(this.world.db, this.key, this.world.now());
      if (compaction) this.noteCompaction(compaction);
      else this.replica.compactedElsewhere();
    } catch (error) {
      // The log is as it was.
      this.compactionFailed = performance.now();
      this.world.onFault(this.key, error);
      if (error instanceof StoredFlaw) this.goStale(error);
    }
  }

  private noteCompaction(compaction: Compaction): void {
    this.replica.compacted(compaction);
    metrics.compactions.inc();
    this.world.fanOut.publish({ type: 'compacted', room: this.key, ...compaction });
  }
}
