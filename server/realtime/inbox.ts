import type { Member } from './member.ts';

/** An update of a client as it came. */
export interface Inbound {
  member: Member;
  update: Uint8Array;
  answersStep1: boolean;
  /** of performance.now() */
  at: number;
}

/** What is stored at once: larger batches would make whoever comes last, and other rooms, wait longer than the rest. */
const BATCH = { updates: 500, bytes: 200_000 };
/** Bytes that wait to be stored, of all members of a room. */
const FULL = 32_000_000;

/** The updates of a room that wait to be stored, in the order in which they came. */
export class Inbox {
  private waiting: Inbound[] = [];
  private bytes = 0;

  get size(): number {
    return this.waiting.length;
  }

  /** Closes the sender's connection where the database is so far behind that no more can be held. */
  add(inbound: Inbound): void {
    if (this.bytes + inbound.update.length > FULL) {
      inbound.member.close(1013, 'too much waits to be stored');
      return;
    }
    this.waiting.push(inbound);
    this.bytes += inbound.update.length;
  }

  /** The next ones, but for those whose connection is gone: they are sent again. */
  take(): Inbound[] {
    let bytes = 0;
    let count = 0;
    while (count < this.waiting.length && count < BATCH.updates && (count === 0 || bytes < BATCH.bytes))
      bytes += this.waiting[count++]!.update.length;
    this.bytes -= bytes;
    return this.waiting.splice(0, count).filter(({ member }) => !member.closed);
  }

  /** Everybody who waits. */
  get members(): Set<Member> {
    return new Set(this.waiting.map(({ member }) => member));
  }
}
