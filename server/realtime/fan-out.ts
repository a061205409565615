import { randomUUID } from 'node:crypto';
import { readNotice, writeNotice, type Notice } from './notices.ts';

/**
 * How instances tell each other what they did. Nothing is kept for an instance that cannot be reached: what it
 * missed it finds in the database, where it looks more often while the bus is down.
 */
export interface FanOut {
  /** of this instance */
  readonly id: string;
  readonly up: boolean;
  /** Tells the others: about a room those that follow it, about anything else all of them. */
  publish(notice: Notice): void;
  /** Resolves when notices about the room come from now on, or when the bus is down. */
  follow(room: string): Promise<void>;
  unfollow(room: string): void;
  onNotice(listener: (notice: Notice, from: string) => void): void;
  /** Told when the bus comes and goes. When it comes, anything may have been missed. */
  onChange(listener: (up: boolean) => void): void;
  close(): Promise<void>;
}

/** A bus within one process: each instance joins it. */
export class LocalBus {
  private readonly instances = new Set<LocalFanOut>();

  join(): FanOut {
    return new LocalFanOut(this.instances);
  }
}

class LocalFanOut implements FanOut {
  readonly id = randomUUID();
  readonly up = true;
  private readonly rooms = new Set<string>();
  private listener: (notice: Notice, from: string) => void = () => {};

  constructor(private readonly instances: Set<LocalFanOut>) {
    instances.add(this);
  }

  publish(notice: Notice): void {
    if (this.instances.size === 1) return;
    const bytes = writeNotice(this.id, notice);
    for (const instance of this.instances) if (instance !== this) setImmediate(() => instance.hear(bytes));
  }

  async follow(room: string): Promise<void> {
    this.rooms.add(room);
  }

  unfollow(room: string): void {
    this.rooms.delete(room);
  }

  onNotice(listener: (notice: Notice, from: string) => void): void {
    this.listener = listener;
  }

  onChange(): void {}

  async close(): Promise<void> {
    this.instances.delete(this);
  }

  private hear(bytes: Uint8Array): void {
    const { from, notice } = readNotice(bytes);
    if (this.instances.has(this) && (!('room' in notice) || this.rooms.has(notice.room))) this.listener(notice, from);
  }
}
