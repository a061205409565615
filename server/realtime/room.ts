import * as Y from 'yjs';
import type { Database } from '../../db/client.ts';
import { CLOSE } from '../../lib/wire.ts';
import type { Member } from './member.ts';
import { GapError, LIMITS, Violation, WRITABLE, checkComplete, checkUpdate, invalid } from './legality.ts';
import { appendEntries, compactRoom, type Entry, type Stored } from './log.ts';
import { PresenceBoard } from './presence.ts';
import { writeStep1, writeStep2, writeUpdate } from './protocol.ts';

export interface RoomName {
  kind: 'board' | 'discussion';
  boardId: string;
}

export interface RoomWorld {
  db: Database;
  now: () => number;
  /** told before entries are stored, in their transaction, what the document will be */
  onStore: (tx: Database, name: RoomName, doc: Y.Doc) => Promise<void>;
  /** told when a stored update could not be kept in memory or a compaction failed */
  onFault: (room: string, error: unknown) => void;
  /** log rows that make a compaction worth while */
  compactAfter: number;
  presencePause: number;
}

interface Accepted extends Entry {
  member: Member | null;
}

/**
 * One document and who is connected to it. `doc` holds what the log holds and nothing else; `ahead` is the
 * scratch copy on which an update is tried first, so it is at most one batch ahead.
 * Everything that changes the room goes through one queue.
 */
export class Room {
  readonly members = new Set<Member>();
  readonly presence: PresenceBoard | null;
  private readonly doc: Y.Doc;
  private ahead = new Y.Doc();
  private readonly writers: Map<number, string | null>;
  private rows: number;
  private bytes: number;
  private inbox: { member: Member; update: Uint8Array; answersStep1: boolean }[] = [];
  private tail: Promise<void> = Promise.resolve();
  /** what `ahead` emitted while one update was tried */
  private emitted: Uint8Array[] = [];

  constructor(
    readonly key: string,
    readonly name: RoomName,
    stored: Stored,
    private readonly world: RoomWorld,
  ) {
    this.doc = stored.doc;
    this.writers = stored.writers;
    this.rows = stored.rows;
    this.bytes = stored.bytes;
    this.presence = name.kind === 'board' ? new PresenceBoard(this.members, world.now, world.presencePause) : null;
    this.resetAhead([]);
  }

  enter(member: Member): void {
    if (this.members.size >= LIMITS.connectionsPerRoom)
      throw new Violation(CLOSE.tooFast, `more than ${LIMITS.connectionsPerRoom} connections`);
    this.members.add(member);
    if (this.isWritable) member.send(writeStep1(Y.encodeStateVector(this.doc)));
    this.presence?.greet(member);
  }

  leave(member: Member): void {
    this.members.delete(member);
    this.presence?.leave(member);
  }

  get isWritable(): boolean {
    return WRITABLE[this.name.kind].length > 0;
  }

  /** What a client that has `stateVector` lacks. */
  answerStep1(member: Member, stateVector: Uint8Array): void {
    let missing: Uint8Array;
    try {
      missing = Y.encodeStateAsUpdate(this.doc, stateVector);
    } catch {
      throw new Violation(CLOSE.badRequest, 'bytes that are no state vector');
    }
    member.send(writeStep2(missing));
  }

  /** Queues a client's update; it is acknowledged once it is stored. Where clients only read, it is dropped. */
  receive(member: Member, update: Uint8Array, answersStep1: boolean): void {
    if (!this.isWritable) return;
    this.inbox.push({ member, update, answersStep1 });
    if (this.inbox.length === 1) void this.enqueue(() => this.drain()).catch((error: unknown) => this.world.onFault(this.key, error));
  }

  /**
   * A change by the server: tried, stored together with what `alongside` writes, applied, broadcast. Resolves
   * with what `change` returned; when anything of it fails, nothing of it stays.
   */
  edit<T>(change: (doc: Y.Doc) => T, alongside?: (tx: Database) => Promise<void>): Promise<T> {
    return this.enqueue(async () => {
      this.emitted = [];
      try {
        const result = this.ahead.transact(() => change(this.ahead));
        await this.store(this.takeEmitted(null, [this.ahead.clientID]), alongside);
        return result;
      } catch (error) {
        this.resetAhead([]);
        throw error;
      }
    });
  }

  /** Reads the document as it will be when all that is queued now is stored. */
  read<T>(reader: (doc: Y.Doc) => T): Promise<T> {
    return this.enqueue(async () => reader(this.doc));
  }

  compact(): Promise<void> {
    return this.enqueue(() => this.compactNow());
  }

  /** Resolves when everything queued so far is stored. */
  settled(): Promise<void> {
    return this.enqueue(async () => {});
  }

  get worthCompacting(): boolean {
    return this.rows >= this.world.compactAfter;
  }

  destroy(): void {
    this.presence?.close();
    this.doc.destroy();
    this.ahead.destroy();
  }

  private enqueue<T>(job: () => Promise<T>): Promise<T> {
    const result = this.tail.then(job);
    this.tail = result.then(
      () => {},
      () => {},
    );
    return result;
  }

  private async drain(): Promise<void> {
    const batch = this.inbox;
    this.inbox = [];
    const accepted: Accepted[] = [];
    const done = new Set<Member>();
    for (const { member, update, answersStep1 } of batch) {
      if (member.closed) continue;
      try {
        accepted.push(...this.tryUpdate(member, update, accepted));
        member.persisted += 1 + member.forgiveGaps(answersStep1);
        done.add(member);
      } catch (error) {
        this.refuse(member, error, answersStep1);
      }
    }
    try {
      await this.store(accepted);
    } catch (error) {
      // Not stored, so not acknowledged: the clients still have it and send it again when they reconnect.
      this.resetAhead([]);
      for (const { clients } of accepted) for (const client of clients) this.writers.delete(client);
      for (const member of done) member.close(1011, 'the update could not be stored');
      throw error;
    }
    for (const member of done) member.acknowledge();
    if (this.worthCompacting) await this.compactNow();
  }

  /** Applies an update to the scratch copy alone and returns what of it was new. */
  private tryUpdate(member: Member, update: Uint8Array, before: readonly Accepted[]): Accepted[] {
    this.checkSize(update.length);
    const clients = checkUpdate(update, this.ahead, WRITABLE[this.name.kind], this.writers, member.user.id);
    for (const client of clients) {
      const present = this.presence?.personOf(client) ?? null;
      if (present !== null && present !== member.user.id) throw invalid(`client id ${client} belongs to somebody else`);
    }
    this.emitted = [];
    try {
      Y.applyUpdate(this.ahead, update);
      checkComplete(this.ahead);
    } catch (error) {
      this.resetAhead(before);
      throw error instanceof GapError ? error : invalid('an update that cannot be applied');
    }
    for (const client of clients) this.writers.set(client, member.user.id);
    return this.takeEmitted(member, clients);
  }

  private takeEmitted(member: Member | null, clients: number[]): Accepted[] {
    if (this.emitted.length === 0) return [];
    const data = this.emitted.length === 1 ? this.emitted[0]! : Y.mergeUpdates(this.emitted);
    this.emitted = [];
    const fresh = member ? clients : clients.filter((client) => !this.writers.has(client));
    return [{ data, member, personId: member?.user.id ?? null, clients: fresh }];
  }

  /** Persists first, then applies, then tells: nobody ever sees what a crash could still take back. */
  private async store(accepted: readonly Accepted[], alongside?: (tx: Database) => Promise<void>): Promise<void> {
    if (accepted.length === 0 && !alongside) return;
    await appendEntries(this.world.db, this.key, accepted, this.world.now(), async (tx) => {
      await alongside?.(tx);
      await this.world.onStore(tx, this.name, this.ahead);
    });
    for (const { data, clients, personId } of accepted) {
      Y.applyUpdate(this.doc, data);
      for (const client of clients) this.writers.set(client, personId);
      this.rows += 1;
      this.bytes += data.length;
    }
    this.broadcast(accepted);
  }

  private broadcast(accepted: readonly Accepted[]): void {
    if (accepted.length === 0) return;
    const only = accepted.length === 1 ? accepted[0]!.member : null;
    const frame = writeUpdate(accepted.length === 1 ? accepted[0]!.data : Y.mergeUpdates(accepted.map(({ data }) => data)));
    for (const member of this.members) if (member !== only) member.send(frame);
  }

  private refuse(member: Member, error: unknown, answersStep1: boolean): void {
    if (error instanceof GapError && !answersStep1 && member.countGap()) {
      // Another tab's edit may have come by a shorter way than ours. The client is asked for all that we lack.
      member.send(writeStep1(Y.encodeStateVector(this.doc)));
    } else if (error instanceof GapError || error instanceof Violation) {
      member.close(error instanceof Violation ? error.code : CLOSE.invalidUpdate, error.message);
    } else {
      this.world.onFault(this.key, error);
      member.close(1011, 'the update could not be judged');
    }
  }

  private checkSize(more: number): void {
    if (this.bytes + more <= LIMITS.room) return;
    this.bytes = Y.encodeStateAsUpdate(this.doc).length;
    if (this.bytes + more > LIMITS.room) throw new Violation(CLOSE.tooLarge, `the board would pass ${LIMITS.room} bytes`);
  }

  private async compactNow(): Promise<void> {
    try {
      this.bytes = await compactRoom(this.world.db, this.key, this.world.now());
      this.rows = 0;
    } catch (error) {
      // The log is as it was; the next compaction tries again.
      this.world.onFault(this.key, error);
    }
  }

  private resetAhead(accepted: readonly Accepted[]): void {
    this.ahead.destroy();
    this.ahead = new Y.Doc();
    Y.applyUpdate(this.ahead, Y.encodeStateAsUpdate(this.doc));
    for (const { data } of accepted) Y.applyUpdate(this.ahead, data);
    this.ahead.on('update', (update: Uint8Array) => this.emitted.push(update));
    this.emitted = [];
  }
}
