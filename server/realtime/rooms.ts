import type { Person } from '../access.ts';
import { loadRoom } from './log.ts';
import { Room, type RoomName, type RoomWorld } from './room.ts';

export interface RoomsOptions extends RoomWorld {
  /** milliseconds for which an unused room stays loaded */
  unloadAfter: number;
}

interface Live {
  room: Promise<Room>;
  /** connections and pieces of work that hold it */
  users: number;
  timer: NodeJS.Timeout | null;
}

export function roomKey({ kind, boardId }: RoomName): string {
  return `${kind}/${boardId}`;
}

/** The rooms that are loaded. A room is loaded once, however many ask for it at the same time. */
export class Rooms {
  private readonly live = new Map<string, Live>();
  private closing = false;

  constructor(private readonly options: RoomsOptions) {}

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
    if (!entry) return;
    entry.users -= 1;
    if (entry.users > 0 || this.closing) return;
    entry.timer = setTimeout(() => void this.unload(room.key, entry), this.options.unloadAfter);
    entry.timer.unref();
  }

  async use<T>(name: RoomName, work: (room: Room) => Promise<T>): Promise<T> {
    const room = await this.acquire(name);
    try {
      return await work(room);
    } finally {
      this.release(room);
    }
  }

  /** Shows a person's new name to those who are connected. */
  rename(person: Person): void {
    for (const { room } of this.live.values()) {
      void room.then(
        ({ members, presence }) => {
          for (const member of members) {
            if (member.user.id !== person.id) continue;
            member.user = { ...member.user, name: person.name };
            presence?.refresh(member);
          }
        },
        () => {},
      );
    }
  }

  /** Disconnects everybody and waits until all that was accepted is stored. */
  async close(): Promise<void> {
    this.closing = true;
    const entries = [...this.live.values()];
    this.live.clear();
    for (const { room, timer } of entries) {
      if (timer) clearTimeout(timer);
      const loaded = await room.catch(() => null);
      if (!loaded) continue;
      // 1012: the service restarts. Clients reconnect by themselves.
      for (const member of loaded.members) member.close(1012, 'the server is stopping');
      await loaded.settled();
      loaded.destroy();
    }
  }

  private load(key: string, name: RoomName): Live {
    const { db } = this.options;
    const room = loadRoom(db, key).then((stored) => new Room(key, name, stored, this.options));
    const entry: Live = { room, users: 0, timer: null };
    this.live.set(key, entry);
    // A failed load must not be remembered: the next one who asks tries again.
    room.catch(() => {
      if (this.live.get(key) === entry) this.live.delete(key);
    });
    return entry;
  }

  private async unload(key: string, entry: Live): Promise<void> {
    const room = await entry.room;
    await room.settled();
    if (room.worthCompacting) await room.compact();
    // Somebody may have come back while we waited.
    if (entry.users > 0 || this.live.get(key) !== entry) return;
    this.live.delete(key);
    room.destroy();
  }
}
