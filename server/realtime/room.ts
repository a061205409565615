import * as Y from 'yjs';
import type { Database } from '../../db/client.ts';
import { CLOSE } from '../../lib/wire.ts';
import { metrics } from '../metrics.ts';
import { contradicts, isKnown, type Decoded } from './decoded.ts';
import { Inbox, type Inbound } from './inbox.ts';
import { GapError, LIMITS, Violation, WRITABLE, decodeUpdate } from './legality.ts';
import type { Entry, Stored } from './log.ts';
import type { Member } from './member.ts';
import type { Notice } from './notices.ts';
import { PresenceBoard } from './presence.ts';
import { writeEpoch, writeStep1, writeStep2, writeUpdate } from './protocol.ts';
import { RoomState, type EditOptions, type RoomName, type StateWorld } from './room-state.ts';

export type { RoomName } from './room-state.ts';

export interface RoomWorld extends StateWorld {
  /** told once when the room must be loaded anew */
  onStale: (room: Room, reason: unknown) => void;
  presencePause: number;
}

type Read = Inbound & { decoded: Decoded; personId: string };
type Outcomes = Map<Read, 'stored' | Error>;

/** Milliseconds after which those who wait for the database are told to come again. */
const PATIENCE = 10_000;

/** One document and who is connected to it. */
export class Room {
  readonly members = new Set<Member>();
  readonly presence: PresenceBoard | null;
  private readonly state: RoomState<Member>;
  private readonly inbox = new Inbox();
  private isDrainQueued = false;

  constructor(
    readonly key: string,
    readonly name: RoomName,
    stored: Stored,
    private readonly world: RoomWorld,
  ) {
    this.state = new RoomState(key, name, stored, world, {
      onNews: (update, sender) => this.broadcast(update, sender),
      onStale: (reason) => world.onStale(this, reason),
    });
    this.presence = name.kind === 'board' ? this.makePresence() : null;
  }

  get epoch(): number {
    return this.state.replica.epoch;
  }

  /** The row of the log up to which the room goes. */
  get last(): number {
    return this.state.replica.last;
  }

  /** Updates that were received and are not stored. */
  get waiting(): number {
    return this.inbox.size;
  }

  enter(member: Member): void {
    const { connectionsPerRoom, connectionsPerPerson } = LIMITS;
    const own = [...this.members].filter(({ user }) => user.id === member.user.id).length;
    if (own >= connectionsPerPerson) throw new Violation(CLOSE.tooFast, `more than ${connectionsPerPerson} connections of one person`);
    if (this.members.size >= connectionsPerRoom) throw new Violation(CLOSE.tooFast, `more than ${connectionsPerRoom} connections`);
    this.members.add(member);
    member.send(writeEpoch(this.epoch));
    if (this.isWritableBy(member)) this.ask(member);
    this.presence?.greet(member);
  }

  leave(member: Member): void {
    this.members.delete(member);
    this.presence?.leave(member);
  }

  /** What a client that has `stateVector` lacks. */
  answerStep1(member: Member, stateVector: Uint8Array): void {
    let missing: Uint8Array[];
    try {
      missing = this.state.replica.missingFrom(stateVector);
    } catch {
      throw new Violation(CLOSE.badRequest, 'bytes that are no state vector');
    }
    const [first, ...since] = missing;
    member.answer(writeStep2(first!));
    for (const update of since) member.answer(writeUpdate(update));
  }

  /** Queues a client's update; it is acknowledged once it is stored. Of who may only read, it is dropped. */
  receive(member: Member, update: Uint8Array, answersStep1: boolean): void {
    if (!this.isWritableBy(member)) return member.refuseWriting();
    this.inbox.add({ member, update, answersStep1, at: performance.now() });
    this.drainSoon();
  }

  /** See {@link RoomState.edit}. */
  edit<T>(change: (doc: Y.Doc) => T, alongside?: (tx: Database) => Promise<void>, options?: EditOptions): Promise<T> {
    return this.state.edit(change, alongside, options);
  }

  /** See {@link RoomState.read}. */
  read<T>(reader: (doc: Y.Doc) => T): Promise<T> {
    return this.state.read(reader);
  }

  compact(options?: EditOptions): Promise<void> {
    return this.state.compact(options);
  }

  get worthCompacting(): boolean {
    return this.state.worthCompacting;
  }

  get worthCompactingAtLast(): boolean {
    return this.state.worthCompactingAtLast;
  }

  /** Resolves when everything received so far is stored, or is known not to be. */
  async settled(): Promise<void> {
    do await this.state.settled();
    while (this.inbox.size > 0);
  }

  hear(notice: Extract<Notice, { type: 'stored' | 'compacted' }>): void {
    if (notice.type === 'stored') this.state.hear(notice);
    else this.state.replica.compacted(notice);
  }

  catchUp(): Promise<void> {
    return this.state.catchUp();
  }

  goStale(reason: unknown): void {
    this.state.goStale(reason);
  }

  destroy(): void {
    this.presence?.close();
    this.state.destroy();
  }

  private isWritableBy(member: Member): boolean {
    return member.canEdit && WRITABLE[this.name.kind].length > 0;
  }

  private makePresence(): PresenceBoard {
    const { now, presencePause: pause, fanOut } = this.world;
    return new PresenceBoard({
      members: this.members,
      now,
      pause,
      isForeign: (client, personId) => this.state.judge.isForeign(client, personId),
      tell: (entries) => fanOut.publish({ type: 'presence', room: this.key, whole: false, entries }),
    });
  }

  private drainSoon(): void {
    if (this.isDrainQueued || this.inbox.size === 0) return;
    this.isDrainQueued = true;
    this.state.enqueue(() => this.drain()).catch((error: unknown) => this.state.fail(error));
  }

  private async drain(): Promise<void> {
    this.isDrainQueued = false;
    const batch = this.inbox.take();
    const late = setTimeout(() => this.turnAway(batch), PATIENCE);
    try {
      const reads = batch.flatMap((inbound) => this.decode(inbound));
      this.answer(reads, this.bringNews(reads) ? await this.store(reads) : new Map(reads.map((read) => [read, 'stored'])));
    } catch (error) {
      // Not stored, so not acknowledged: the clients still have it and send it again when they reconnect.
      this.turnAway(batch);
      throw error;
    } finally {
      clearTimeout(late);
      this.drainSoon();
    }
    if (this.worthCompacting) void this.compact();
  }

  private decode(inbound: Inbound): Read[] {
    try {
      return [{ ...inbound, decoded: decodeUpdate(inbound.update), personId: inbound.member.user.id }];
    } catch (error) {
      this.refuse(inbound, error);
      return [];
    }
  }

  /** Most clients that reconnect have nothing new to say: that takes no transaction. */
  private bringNews(reads: readonly Read[]): boolean {
    const { doc } = this.state.replica;
    return reads.some(({ decoded }) => !isKnown(decoded, doc) || decoded.structs.some((struct) => contradicts(struct, doc)));
  }

  private async store(reads: readonly Read[]): Promise<Outcomes> {
    const outcomes: Outcomes = new Map();
    const senders = new Set(reads.map(({ member }) => member));
    await this.state.store(
      (entries) => {
        const refused = new Set<Member>();
        for (const read of reads) {
          if (refused.has(read.member)) continue;
          const outcome = this.tryUpdate(read, entries);
          outcomes.set(read, outcome);
          if (outcome instanceof Violation) refused.add(read.member);
        }
      },
      (tx) => this.state.judge.learn(tx, this.key, reads),
      () => (senders.size === 1 ? ([...senders][0] ?? null) : null),
    );
    return outcomes;
  }

  /** Applies an update to the scratch copy alone, and adds what of it was new. */
  private tryUpdate(read: Read, entries: Entry[]): 'stored' | Error {
    const { judge, replica } = this.state;
    try {
      // A full board can still be emptied, and joined.
      const added = judge.countNew(read);
      if (added > 0) replica.checkRoom(read.update.length, judge.structs + added, this.world.now());
      const entry = judge.try(read, (client) => this.presence?.personOf(client) ?? null);
      if (entry) entries.push(entry);
      return 'stored';
    } catch (error) {
      if (judge.scratch.isBroken) this.state.renewScratch(entries);
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  private answer(reads: readonly Read[], outcomes: Outcomes): void {
    const done = new Set<Member>();
    for (const read of reads) {
      const { member, answersStep1, at } = read;
      const outcome = outcomes.get(read);
      if (!outcome || member.closed) continue;
      if (outcome !== 'stored') {
        this.refuse(read, outcome);
        continue;
      }
      member.stored(answersStep1);
      done.add(member);
      metrics.updates.inc();
      metrics.storeSeconds.observe((performance.now() - at) / 1000);
    }
    for (const member of done) member.acknowledge();
  }

  private ask(member: Member): void {
    member.isAsked = true;
    member.answer(writeStep1(Y.encodeStateVector(this.state.replica.doc)));
  }

  private refuse({ member, update, answersStep1 }: Inbound, error: unknown): void {
    if (error instanceof GapError && member.missed(answersStep1, update.length)) {
      // Another tab's edit may have come by a shorter way than ours. The client is asked for all that we lack.
      if (!member.isAsked) this.ask(member);
    } else if (error instanceof GapError || error instanceof Violation) {
      member.close(error instanceof Violation ? error.code : CLOSE.invalidUpdate, error.message);
    } else {
      this.world.onFault(this.key, error);
      member.close(1011, 'the update could not be judged');
    }
  }

  /** 1013: clients come again by themselves, with what they could not get rid of. */
  private turnAway(batch: readonly Inbound[]): void {
    for (const member of [...batch.map((inbound) => inbound.member), ...this.inbox.members])
      member.close(1013, 'changes cannot be stored now');
  }

  private broadcast(update: Uint8Array, except: Member | null): void {
    const frame = writeUpdate(update);
    for (const member of this.members) if (member !== except) member.send(frame);
  }
}
