import * as Y from 'yjs';
import { LIMITS, Violation, isWaiting } from './legality.ts';
import { CLOSE } from '../../lib/wire.ts';
import type { Compaction, Stored } from './log.ts';

/** Milliseconds between two times that a nearly full document is measured. */
const MEASURE = 60_000;

/** Bytes of rows that are worth compacting however few they are: a snapshot is loaded without judging it again. */
const LONG = 1_000_000;

/** Bytes from which a document's answer to whoever has nothing is kept, and milliseconds for which. */
const KEPT = { from: 100_000, for: 5000 };

/** What the log of a room holds, in memory: that and nothing else. */
export class Replica {
  readonly doc: Y.Doc;
  readonly epoch: number;
  /** the row of the log up to which it goes */
  last: number;
  private rows: number;
  private logBytes: number;
  private snapshotBytes: number;
  /** of the document; an upper bound */
  private bytes: number;
  private measuredAt = Number.NEGATIVE_INFINITY;
  private encoded: Uint8Array | null = null;
  /** what the last one to join got, and what has come since */
  private joined: { state: Uint8Array; since: Uint8Array[] } | null = null;

  constructor({ doc, epoch, last, rows, logBytes, snapshotBytes }: Stored) {
    this.doc = doc;
    this.epoch = epoch;
    this.last = last;
    this.rows = rows;
    this.logBytes = logBytes;
    this.snapshotBytes = snapshotBytes;
    this.bytes = logBytes + snapshotBytes;
  }

  /** Applies rows up to `last` and gives what of them was new, as one update. */
  add(updates: readonly Uint8Array[], last: number, rows = updates.length): Uint8Array | null {
    let news: Uint8Array | null = null;
    const hear = (update: Uint8Array) => (news = update);
    this.doc.on('update', hear);
    try {
      this.doc.transact(() => {
        for (const update of updates) Y.applyUpdate(this.doc, update);
      });
    } finally {
      this.doc.off('update', hear);
    }
    if (isWaiting(this.doc)) throw new Error('rows of the log build on what is not there');
    const size = updates.reduce((total, { length }) => total + length, 0);
    this.last = last;
    this.rows += rows;
    this.logBytes += size;
    this.bytes += size;
    this.encoded = null;
    if (news) this.joined?.since.push(news);
    return news;
  }

  /** All of it. Kept until the next change: many come at once when a server was away. */
  get state(): Uint8Array {
    return (this.encoded ??= Y.encodeStateAsUpdate(this.doc));
  }

  /** What somebody who has `stateVector` lacks, in order. Many join at once, and encoding a large document takes long. */
  missingFrom(stateVector: Uint8Array): Uint8Array[] {
    const hasNothing = stateVector.length === 1 && stateVector[0] === 0;
    if (!hasNothing) return [Y.encodeStateAsUpdate(this.doc, stateVector)];
    if (this.bytes < KEPT.from) return [this.state];
    this.joined ??= this.keepForOthers();
    const { state, since } = this.joined;
    return since.length === 0 ? [state] : [state, Y.mergeUpdates(since)];
  }

  private keepForOthers() {
    setTimeout(() => (this.joined = null), KEPT.for).unref();
    return { state: this.state, since: [] };
  }

  /** Throws a Violation where the document would become too large for everybody: with so many bytes more, and so many structs in all. */
  checkRoom(more: number, structs: number, now: number): void {
    if (!this.hasRoomFor(more, now)) throw new Violation(CLOSE.tooLarge, `the board would pass ${LIMITS.room} bytes`);
    if (structs > LIMITS.roomStructs)
      throw new Violation(CLOSE.tooLarge, `the board would pass ${LIMITS.roomStructs} changes that cannot be merged`);
  }

  /** Whether so many bytes more are not too many for everybody. */
  hasRoomFor(more: number, now: number): boolean {
    if (this.bytes + more > LIMITS.room && now - this.measuredAt > MEASURE) {
      this.measuredAt = now;
      this.bytes = this.state.length;
    }
    return this.bytes + more <= LIMITS.room;
  }

  compacted({ rows, bytes }: Compaction): void {
    // What was deleted is not to be sent any more.
    this.joined = null;
    this.logBytes = rows >= this.rows ? 0 : Math.round(this.logBytes * (1 - rows / this.rows));
    this.rows = Math.max(0, this.rows - rows);
    this.snapshotBytes = bytes;
  }

  compactedElsewhere(): void {
    this.compacted({ rows: this.rows, bytes: this.snapshotBytes });
  }

  /** Whether whoever comes next would wait for the log. */
  get isLong(): boolean {
    return this.logBytes >= LONG;
  }

  /** A large board is compacted less often: what is read and written each time is all of it. */
  isWorthCompacting(after: number): boolean {
    return this.rows >= after && (4 * this.logBytes >= this.snapshotBytes || this.rows >= 50 * after);
  }
}
