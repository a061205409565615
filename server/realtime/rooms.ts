import type { Author } from '../../lib/wire.ts';
import { CLOSE } from '../../lib/wire.ts';
import { Budgets } from './budgets.ts';
import { openRoom } from './mending.ts';
import type { AccessChange, Notice } from './notices.ts';
import { writeNews } from './protocol.ts';
import { Room, type RoomName, type RoomWorld } from './room.ts';
import { StaleRoomError } from './room-state.ts';
import { latestOf } from './statements.ts';

export interface RoomsOptions extends Omit<RoomWorld, 'onStale' | 'budgets'> {
  /** milliseconds for which an unused room stays loaded */
  unloadAfter: number;
  /** milliseconds between two looks at the log: while the bus is down, and while it is up */
  pollAfter: { down: number; up: number };
}

interface Live {
  name: RoomName;
  room: Promise<Room>;
  /** once it is loaded */
  loaded: Room | null;
  /** connections and pieces of work that hold it */
  users: number;
  timer: NodeJS.Timeout | null;
}

/** Milliseconds between two times that instances tell each other everybody who is in their rooms. */
const ROLL_CALL = 10_000;
/** A room that turns out to be out of date is loaded anew so often for one piece of work. */
const ATTEMPTS = 3;

export function roomKey({ kind, boardId }: RoomName): string {
  return `${kind}/${boardId}`;
}

/** The rooms that are loaded. A room is loaded once, however many ask for it at the same time. */
export class Rooms {
  private readonly live = new Map<string, Live>();
  private readonly world: RoomWorld;
  private readonly timers: NodeJS.Timeout[];
  private closing = false;
  /** of performance.now() */
  private polledAt = Number.NEGATIVE_INFINITY;
  private polling: Promise<void> | null = null;
  private isOutageTold = false;
  private changeListener: (change: AccessChange) => Promise<void> = async () => {};

  constructor(private readonly options: RoomsOptions) {
    const { fanOut, isShared, pollAfter } = options;
    this.world = { ...options, budgets: new Budgets(options.now), onStale: (room, reason) => this.discard(room, reason) };
    fanOut.onNotice((notice, from) => this.hear(notice, from));
    fanOut.onChange((up) => this.hearBus(up));
    const poll = setInterval(() => void this.pollWhenDue(), Math.min(pollAfter.down, pollAfter.up));
    const rollCall = setInterval(() => this.callRoll(), ROLL_CALL);
    this.timers = isShared ? [poll, rollCall] : [rollCall];
    if (!isShared) clearInterval(poll);
    for (const timer of this.timers) timer.unref();
  }

  /** Loads the room where it is not and keeps it until {@link release}. */
  async acquire(name: RoomName): Promise<Room> {
    if (this.closing) throw new Error('rooms: expected a running server, got one that is stopping');
    const key = roomKey(name);
    const entry = this.live.get(key) ?? this.load(key, name);
    entry.users += 1;
    if (entry.timer) clearTimeout(entry.timer);
    entry.timer = null;
    try {
      return await entry.room;
    } catch (error) {
      entry.users -= 1;
      throw error;
    }
  }

  release(room: Room): void {
    const entry = this.live.get(room.key);
    // It may have been given up, and another one loaded in its place.
    if (!entry || entry.loaded !== room) return;
    entry.users -= 1;
    if (entry.users > 0 || this.closing) return;
    entry.timer = setTimeout(() => {
      this.unload(room.key, entry).catch((error: unknown) => this.options.onFault(room.key, error));
    }, this.options.unloadAfter);
    entry.timer.unref();
  }

  async use<T>(name: RoomName, work: (room: Room) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const room = await this.acquire(name);
      try {
        return await work(room);
      } catch (error) {
        // Nothing of the work was done.
        if (!(error instanceof StaleRoomError) || attempt === ATTEMPTS) throw error;
      } finally {
        this.release(room);
      }
    }
  }

  /** Shows a person's new name to those who are connected. */
  rename({ id, name }: Author): void {
    this.showName({ id, name });
    this.options.fanOut.publish({ type: 'renamed', person: { id, name } });
  }

  /**
   * What somebody may do has changed: on one board, or on all; `personId` null is everybody on that board. Once it
   * resolves, nobody at this instance goes on as what they were; at others it takes effect as soon as they hear of it.
   */
  async accessChanged({ personId, boardId }: AccessChange): Promise<void> {
    this.options.fanOut.publish({ type: 'access', personId, boardId });
    await this.changeListener({ personId, boardId });
  }

  /** Their notifications or marks changed: whoever of them has a board open asks for them. */
  tellNews(people: readonly string[]): void {
    if (people.length === 0) return;
    this.showNews(people);
    this.options.fanOut.publish({ type: 'news', people: [...people] });
  }

  /** Told of every {@link accessChanged}, of this instance and of the others. */
  onAccessChange(listener: (change: AccessChange) => Promise<void>): void {
    this.changeListener = listener;
  }

  stats(): { rooms: number; sockets: number; waiting: number } {
    const rooms = this.loadedRooms();
    return {
      rooms: rooms.length,
      sockets: rooms.reduce((total, { members }) => total + members.size, 0),
      waiting: rooms.reduce((total, { waiting }) => total + waiting, 0),
    };
  }

  /** Disconnects everybody and waits until all that was accepted is stored. */
  async close(): Promise<void> {
    this.closing = true;
    for (const timer of this.timers) clearInterval(timer);
    const entries = [...this.live.values()];
    this.live.clear();
    await Promise.all(entries.map((entry) => this.end(entry)));
    await this.polling;
    await this.options.fanOut.close();
  }

  private async end({ room, timer }: Live): Promise<void> {
    if (timer) clearTimeout(timer);
    const loaded = await room.catch(() => null);
    if (!loaded) return;
    // 1012: the service restarts. Clients reconnect by themselves.
    for (const member of loaded.members) member.close(1012, 'the server is stopping');
    await loaded.settled();
    loaded.destroy();
  }

  private load(key: string, name: RoomName): Live {
    const room = this.open(key, name);
    const entry: Live = { name, room, loaded: null, users: 0, timer: null };
    this.live.set(key, entry);
    room.then(
      (loaded) => (entry.loaded = loaded),
      () => {
        // A failed load must not be remembered: the next one who asks tries again.
        if (this.live.get(key) !== entry) return;
        this.live.delete(key);
        this.options.fanOut.unfollow(key);
      },
    );
    return entry;
  }

  private async open(key: string, name: RoomName): Promise<Room> {
    const { db, fanOut, now, onFault, isShared } = this.options;
    // Followed first: what is stored from now on is either read below or told.
    await fanOut.follow(key);
    const stored = await openRoom(db, key, now());
    for (const line of stored.mended) onFault(key, new Error(`${key}: moved to quarantine: ${line}`));
    if (stored.mended.length > 0) fanOut.publish({ type: 'epoch', room: key, epoch: stored.epoch });
    const room = new Room(key, name, stored, this.world);
    if (isShared) fanOut.publish({ type: 'presence-wanted', room: key });
    return room;
  }

  private async unload(key: string, entry: Live): Promise<void> {
    const room = await entry.room;
    await room.settled();
    if (room.worthCompactingAtLast) await room.compact();
    // Somebody may have come back while we waited.
    if (entry.users > 0 || this.live.get(key) !== entry) return;
    this.live.delete(key);
    this.options.fanOut.unfollow(key);
    room.destroy();
  }

  /** The room is loaded anew by whoever asks next; who is connected comes back by themselves. */
  private discard(room: Room, reason: unknown): void {
    const { onFault, fanOut } = this.options;
    onFault(room.key, reason);
    if (this.live.get(room.key)?.loaded === room) {
      this.live.delete(room.key);
      fanOut.unfollow(room.key);
    }
    for (const member of room.members) member.close(1012, 'the board is loaded anew');
    room.settled().then(
      () => room.destroy(),
      () => room.destroy(),
    );
  }

  private hear(notice: Notice, from: string): void {
    switch (notice.type) {
      case 'access':
        return void this.changeListener({ personId: notice.personId, boardId: notice.boardId });
      case 'renamed':
        return this.showName(notice.person);
      case 'news':
        return this.showNews(notice.people);
      default:
        return this.hearInRoom(notice, from);
    }
  }

  private hearInRoom(notice: Extract<Notice, { room: string }>, from: string): void {
    const room = this.live.get(notice.room)?.loaded;
    if (!room) {
      // It is being loaded, and perhaps was read before this.
      if (notice.type === 'stored')
        this.live.get(notice.room)?.room.then(
          (loaded) => loaded.hear(notice),
          () => {},
        );
      return;
    }
    switch (notice.type) {
      case 'stored':
      case 'compacted':
        return room.hear(notice);
      case 'epoch':
        if (notice.epoch !== room.epoch) this.startAfresh(room, notice.epoch);
        return;
      case 'presence':
        return room.presence?.hear(from, notice.entries, notice.whole);
      case 'presence-wanted':
        return this.tellPresence(room);
    }
  }

  /** Rows were taken out of the log. Whoever has a copy of the document from before must not bring them back. */
  private startAfresh(room: Room, epoch: number): void {
    for (const member of room.members)
      member.close(CLOSE.otherEpoch, `the board has been mended: expected epoch ${epoch}, got ${room.epoch}`);
    room.goStale(new Error(`${room.key}: expected epoch ${epoch}, got ${room.epoch}`));
  }

  /** While the bus was away anything may have happened. */
  private hearBus(up: boolean): void {
    if (!up) return;
    this.polledAt = Number.NEGATIVE_INFINITY;
    void this.pollWhenDue();
    for (const room of this.loadedRooms()) {
      this.options.fanOut.publish({ type: 'presence-wanted', room: room.key });
      this.tellPresence(room);
    }
  }

  private callRoll(): void {
    for (const room of this.loadedRooms()) {
      room.presence?.dropSilent();
      if (room.members.size > 0) this.tellPresence(room);
    }
  }

  private tellPresence({ key, presence }: Room): void {
    if (presence) this.options.fanOut.publish({ type: 'presence', room: key, whole: true, entries: presence.here });
  }

  /** Looks whether other instances stored something that nobody told: the one way while the bus is down, and a net below it. */
  private pollWhenDue(): Promise<void> {
    const { pollAfter, fanOut } = this.options;
    const pause = fanOut.up ? pollAfter.up : pollAfter.down;
    if (this.closing || performance.now() - this.polledAt < pause) return Promise.resolve();
    this.polling ??= this.poll().finally(() => {
      this.polledAt = performance.now();
      this.polling = null;
    });
    return this.polling;
  }

  private async poll(): Promise<void> {
    const rooms = new Map(this.loadedRooms().map((room) => [room.key, room]));
    if (rooms.size === 0) return;
    try {
      for (const { room: key, last, epoch } of await latestOf(this.options.db, [...rooms.keys()])) {
        const room = rooms.get(key);
        if (room && epoch !== room.epoch) this.startAfresh(room, epoch);
        else if (room && last > room.last) void room.catchUp();
      }
      this.isOutageTold = false;
    } catch (error) {
      if (!this.isOutageTold) this.options.onFault('rooms', error);
      this.isOutageTold = true;
    }
  }

  private showName(person: Author): void {
    for (const { members, presence } of this.loadedRooms()) {
      for (const member of members) {
        if (member.user.id !== person.id) continue;
        member.user = { ...member.user, name: person.name };
        presence?.refresh(member);
      }
    }
  }

  private showNews(people: readonly string[]): void {
    const frame = writeNews();
    for (const { name, members } of this.loadedRooms()) {
      if (name.kind !== 'discussion') continue;
      for (const member of members) if (people.includes(member.user.id)) member.send(frame);
    }
  }

  private loadedRooms(): Room[] {
    return [...this.live.values()].flatMap(({ loaded }) => loaded ?? []);
  }
}
