import { Redis, type RedisOptions } from 'ioredis';
import { randomUUID } from 'node:crypto';
import { metrics } from '../metrics.ts';
import type { FanOut } from './fan-out.ts';
import { readNotice, writeNotice, type Notice } from './notices.ts';

export interface RedisFanOutOptions {
  url: string;
  /** of every channel, so that installations which share a Redis do not hear each other */
  prefix: string;
  /** told once an outage */
  onFault: (error: unknown) => void;
  /** milliseconds between two messages to oneself, which tell that the bus works; three that stay out tell that it does not */
  beat?: number;
}

const BEAT = 1000;
/** What may be on its way to a Redis that answers slowly. More is dropped, and the others read the log. */
const UNANSWERED = { notices: 2000, bytes: 32_000_000 };
/** Milliseconds for which a room that is being opened waits to be followed. */
const PATIENCE = 1000;

/** Pub/sub of Redis. A connection that is lost is made again for ever; nothing waits for it. */
export function openRedisFanOut({ url, prefix, onFault, beat = BEAT }: RedisFanOutOptions): FanOut {
  const options: RedisOptions = {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
    connectTimeout: 5000,
    // A Redis that takes what is sent and answers nothing is gone.
    socketTimeout: 3 * beat,
    retryStrategy: (times) => Math.min(100 * times, 1000),
  };
  return new RedisFanOut(new Redis(url, options), new Redis(url, options), prefix, onFault, beat);
}

class RedisFanOut implements FanOut {
  readonly id = randomUUID();
  private isUp = false;
  private isSubscribed = false;
  private isTold = false;
  private isClosed = false;
  private heardMyself = 0;
  private readonly rooms = new Set<string>();
  private readonly unanswered = { notices: 0, bytes: 0 };
  private readonly timer: NodeJS.Timeout;
  private listener: (notice: Notice, from: string) => void = () => {};
  private changed: (up: boolean) => void = () => {};

  constructor(
    private readonly publisher: Redis,
    private readonly subscriber: Redis,
    private readonly prefix: string,
    private readonly onFault: (error: unknown) => void,
    private readonly beat: number,
  ) {
    for (const connection of [publisher, subscriber]) {
      connection.on('error', (error) => this.tell(error));
      connection.on('close', () => this.goDown());
    }
    publisher.on('ready', () => this.beatNow());
    subscriber.on('ready', () => void this.subscribe());
    subscriber.on('messageBuffer', (channel, message) => this.hear(channel.toString(), message));
    metrics.busUp.set(0);
    this.timer = setInterval(() => this.watch(), beat);
    this.timer.unref();
  }

  get up(): boolean {
    return this.isUp;
  }

  publish(notice: Notice): void {
    if (!this.isUp) return;
    this.send('room' in notice ? this.channelOf(notice.room) : `${this.prefix}:all`, writeNotice(this.id, notice));
  }

  async follow(room: string): Promise<void> {
    this.rooms.add(room);
    if (this.subscriber.status !== 'ready') return;
    const followed = this.subscriber.subscribe(this.channelOf(room)).catch((error: unknown) => this.fail(error));
    await Promise.race([followed, new Promise((done) => setTimeout(done, PATIENCE).unref())]);
  }

  unfollow(room: string): void {
    this.rooms.delete(room);
    if (this.subscriber.status === 'ready') this.subscriber.unsubscribe(this.channelOf(room)).catch(() => {});
  }

  onNotice(listener: (notice: Notice, from: string) => void): void {
    this.listener = listener;
  }

  onChange(listener: (up: boolean) => void): void {
    this.changed = listener;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.isUp = false;
    clearInterval(this.timer);
    this.publisher.disconnect();
    this.subscriber.disconnect();
  }

  private async subscribe(): Promise<void> {
    try {
      const rooms = [...this.rooms].map((room) => this.channelOf(room));
      await this.subscriber.subscribe(`${this.prefix}:all`, `${this.prefix}:beat:${this.id}`, ...rooms);
      this.isSubscribed = true;
      this.beatNow();
    } catch (error) {
      this.fail(error);
    }
  }

  private beatNow(): void {
    if (this.publisher.status === 'ready' && this.isSubscribed) this.send(`${this.prefix}:beat:${this.id}`, new Uint8Array([0]));
  }

  private watch(): void {
    this.beatNow();
    if (!this.isUp || Date.now() - this.heardMyself < 3 * this.beat) return;
    this.tell(new Error(`bus: expected to hear a message to oneself within ${3 * this.beat} ms, got none`));
    this.goDown();
    for (const connection of [this.publisher, this.subscriber]) connection.disconnect(true);
  }

  /** Up is who hears what they say. */
  private hear(channel: string, message: Uint8Array): void {
    if (this.isClosed) return;
    if (channel === `${this.prefix}:beat:${this.id}`) {
      this.heardMyself = Date.now();
      if (!this.isUp) this.goUp();
      return;
    }
    try {
      const { from, notice } = readNotice(message);
      if (from !== this.id) this.listener(notice, from);
    } catch (error) {
      this.onFault(error);
    }
  }

  private goUp(): void {
    this.isUp = true;
    this.isTold = false;
    metrics.busUp.set(1);
    this.changed(true);
  }

  private goDown(): void {
    this.isSubscribed = this.subscriber.status === 'ready' && this.isSubscribed;
    if (!this.isUp) return;
    this.isUp = false;
    metrics.busUp.set(0);
    if (!this.isClosed) this.changed(false);
  }

  private send(channel: string, bytes: Uint8Array): void {
    const { unanswered } = this;
    if (unanswered.notices >= UNANSWERED.notices || unanswered.bytes >= UNANSWERED.bytes) return;
    unanswered.notices += 1;
    unanswered.bytes += bytes.length;
    this.publisher
      .publish(channel, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
      .catch((error: unknown) => this.tell(error))
      .finally(() => {
        unanswered.notices -= 1;
        unanswered.bytes -= bytes.length;
      });
  }

  /** A subscription that failed leaves rooms unheard: from the start again. */
  private fail(error: unknown): void {
    this.tell(error);
    if (!this.isClosed && this.subscriber.status === 'ready') this.subscriber.disconnect(true);
  }

  private tell(error: unknown): void {
    if (this.isTold || this.isClosed) return;
    this.isTold = true;
    this.onFault(error);
  }

  private channelOf(room: string): string {
    return `${this.prefix}:room:${room}`;
  }
}
